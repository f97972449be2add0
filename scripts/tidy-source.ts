/** What the rules of tidy see of a source file: its text, and what the parser says of its imports, calls and functions. */
import ts from '@typescript/typescript6';

/** A `bench/` or `worker/map/x.ts` path, always with `/`, relative to the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

export interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** A dotted name that is used, like `Date.now` or `setTimeout`, or the keyword `await`. */
export interface Use {
  readonly name: string;
  readonly line: number;
}

export interface ParsedFile extends SourceFile {
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionSize[];
  readonly uses: readonly Use[];
}

export function parseSource(file: SourceFile): ParsedFile {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const parsed = {
    imports: [] as Import[],
    functions: [] as FunctionSize[],
    uses: [] as Use[],
  };
  const lineOf = (position: number) => tree.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    const line = lineOf(node.getStart(tree));
    const found = importOf(node);
    if (found) parsed.imports.push({ ...found, line });
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      parsed.functions.push({ name: nameOf(node), line, lines: lineOf(node.getEnd()) - line + 1 });
    }
    const use = useOf(node);
    if (use) parsed.uses.push({ name: use, line });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const lines = file.text === '' ? 0 : file.text.replace(/\n$/, '').split('\n').length;
  return { ...file, lines, ...parsed };
}

function importOf(node: ts.Node): Omit<Import, 'line'> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: node.moduleSpecifier.text, typeOnly, dynamic: false };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, dynamic: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const literal = node.argument.literal;
    if (ts.isStringLiteral(literal)) return { specifier: literal.text, typeOnly: true, dynamic: true };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const argument = node.arguments[0];
    if (argument && ts.isStringLiteral(argument))
      return { specifier: argument.text, typeOnly: false, dynamic: true };
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    const specifier = fileOfUrl(node.arguments?.[0]);
    if (specifier) return { specifier, typeOnly: false, dynamic: true };
  }
  if (ts.isCallExpression(node) && node.arguments[0]?.getText() === 'import.meta.dirname') {
    const specifier = fileOfUrl(node.arguments[1], './');
    if (specifier) return { specifier, typeOnly: false, dynamic: true };
  }
  return undefined;
}

/**
 * How threads name the file they start: `new URL('./x.ts', …)` or `join(import.meta.dirname, 'x.ts')`; or `x${extension}`, where it is
 * .ts as source and .js when built.
 */
function fileOfUrl(argument: ts.Expression | undefined, before = ''): string | undefined {
  if (!argument) return undefined;
  const whole = ts.isStringLiteral(argument) ? before + argument.text : '';
  const head = ts.isTemplateExpression(argument) ? `${before}${argument.head.text}.ts` : '';
  return [whole, head].find((specifier) => /^\.\.?\/.*\w\.(ts|mjs)$/.test(specifier));
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const parent = node.parent;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  return '(anonymous)';
}

/** Outermost property access (`process.env` of `process.env.HOME` and itself), bare calls and `new`, and awaiting. */
function useOf(node: ts.Node): string | undefined {
  if (ts.isAwaitExpression(node)) return 'await';
  if (ts.isForOfStatement(node) && node.awaitModifier) return 'await';
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression))
    return `${node.expression.text}.${node.name.text}`;
  if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && ts.isIdentifier(node.expression))
    return ts.isNewExpression(node) ? `new ${node.expression.text}` : `${node.expression.text}()`;
  return undefined;
}
