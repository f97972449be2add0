/**
 * Glob patterns on object keys: `*`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `**`; `\` takes the next character as it is. No wildcard
 * matches a `/`, except `**` as a whole part (any folders, also none), nor the `.` or `_` that begins a hidden name
 * (`_SUCCESS`). Own code because path.matchesGlob is experimental on Node 22 and finds names that begin with `_`.
 */
import { checkLimit } from '../lib/limits.ts';

export interface Glob {
  /** Every key that matches begins with this text. */
  readonly literalPrefix: string;
  matches(key: string): boolean;
}

const alternativesMax = 1_000;
const notHidden = '(?![._])';

/** A name that input patterns skip unless it is spelled out. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_');
}

export function hasGlob(pattern: string): boolean {
  return /[*?[{\\]/.test(pattern);
}

export function parseGlob(pattern: string): Glob {
  const sources = expandBraces(pattern).map(translate);
  const regexp = new RegExp(`^(?:${sources.join('|')})$`, 'su');
  return {
    literalPrefix: /^[^*?[{\\]*/.exec(pattern)?.[0] ?? '',
    matches: (key) => regexp.test(key),
  };
}

/** `a{b,c{d,e}}` to `ab`, `acd`, `ace`. A brace without its partner, or without a comma, stands for itself. */
function expandBraces(pattern: string): string[] {
  const group = findBraces(pattern);
  if (!group) return [pattern];
  const expanded: string[] = [];
  for (const alternative of group.alternatives) {
    for (const tail of expandBraces(alternative + pattern.slice(group.end))) {
      expanded.push(pattern.slice(0, group.start) + tail);
      checkLimit(
        'the number of alternatives in one pattern',
        expanded.length,
        alternativesMax,
        'use fewer {a,b}',
      );
    }
  }
  return expanded;
}

interface BraceGroup {
  readonly start: number;
  /** Exclusive: after the closing brace. */
  readonly end: number;
  readonly alternatives: readonly string[];
}

/** The first group of braces with a comma at its own level. */
function findBraces(pattern: string): BraceGroup | undefined {
  for (let start = pattern.indexOf('{'); start >= 0; start = pattern.indexOf('{', start + 1)) {
    const group = isEscaped(pattern, start) ? undefined : braceGroupAt(pattern, start);
    if (group && group.alternatives.length > 1) return group;
  }
  return undefined;
}

function braceGroupAt(pattern: string, start: number): BraceGroup | undefined {
  const alternatives: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === ',' && depth === 1) {
      alternatives.push(pattern.slice(from, at));
      from = at + 1;
    } else if (char === '}') {
      depth--;
      if (depth === 0)
        return { start, end: at + 1, alternatives: [...alternatives, pattern.slice(from, at)] };
    }
  }
  return undefined;
}

function isEscaped(pattern: string, index: number): boolean {
  let backslashes = 0;
  while (pattern[index - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** The source of a regular expression for a pattern without braces. */
function translate(pattern: string): string {
  const parts = pattern.split('/');
  let source = '';
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    if (part !== '**') source += translatePart(part) + (isLast ? '' : '/');
    else if (isLast) source += `${notHidden}[^/]+(?:/${notHidden}[^/]+)*`;
    else source += `(?:${notHidden}[^/]+/)*`;
  });
  return source;
}

function translatePart(part: string): string {
  const chars = [...part];
  let source = '';
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const guard = at === 0 ? notHidden : '';
    const charClass = char === '[' ? charClassAt(chars, at) : undefined;
    if (charClass) {
      source += guard + charClass.source;
      at = charClass.end - 1;
    } else if (char === '*') {
      while (chars[at + 1] === '*') at++;
      source += `${guard}[^/]*`;
    } else if (char === '?') {
      source += `${guard}[^/]`;
    } else if (char === '\\' && at + 1 < chars.length) {
      at++;
      source += escapeForRegExp(chars[at] ?? '');
    } else {
      source += escapeForRegExp(char);
    }
  }
  return source;
}

/** `[a-z]`, `[!a-z]`, `[^a-z]`; a `]` right after the opening stands for itself. Undefined when it is never closed. */
function charClassAt(chars: readonly string[], start: number): { source: string; end: number } | undefined {
  const isNegated = chars[start + 1] === '!' || chars[start + 1] === '^';
  const from = start + (isNegated ? 2 : 1);
  const close = chars.indexOf(']', from + 1);
  if (close < 0) return undefined;
  let members = '';
  for (let at = from; at < close; at++) {
    const first = chars[at] ?? '';
    const last = chars[at + 2] ?? '';
    if (chars[at + 1] === '-' && at + 2 < close) {
      const isInOrder = (first.codePointAt(0) ?? 0) <= (last.codePointAt(0) ?? 0);
      if (isInOrder) members += `${escapeForRegExp(first)}-${escapeForRegExp(last)}`;
      at += 2;
    } else {
      members += escapeForRegExp(first);
    }
  }
  return { source: isNegated ? `[^/${members}]` : `(?!/)[${members}]`, end: close + 1 };
}

function escapeForRegExp(char: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(char) ? `\\${char === '-' ? 'x2d' : char}` : char;
}
