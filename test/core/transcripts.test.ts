/**
 * Transcripts of the core: each `*.txt` here is a story of blocks, `events`, then `----`, then exactly what step() decided. Run with
 * UPDATE=1 to write what it decides now, and read the difference. Invariants are checked after every event.
 *
 *   after 1s                                    join w1 [slots=2] [host=h] [home=x] [pid=1] [running=j1/m0.0,…] [draining]
 *   submit j1 [reducers=1] [priority=0] [attempts=4] [partition=hash] [durability=local] [on-nondeterminism=fail] [bad-records=5]
 *   splits j1 COUNT [bytes=1000] [hosts=a,b]    listing-failed j1 CODE        cancel j1
 *   mapped w1 j1/m0.0 [segments=3,4] [variant=1] [counter=2] [bad=1] [copied] sampled w1 j1/s0.0 keys=a,b
 *   reduced w1 j1/r0.0 [consumed=5] [reduced=4] failed w1 j1/m0.0 KIND [words…]
 *   beat w1 [j1/m0.0:map:500 …] [scratch=90]    fetched w1 j1/r0.0 m0 m1 [complete] [unlike]
 *   trouble w1 j1/r0.0 m0.0 w2 missing          disconnect w1                 left w1
 *   draining w1                                 drain w1                      opened w1 j1/r0.0 [bad]
 *   copied w1 j1/m0.0,j1/m1.0                   copies-found j1 maps=m0,m1 [j1/m0.0=w1 …]
 *   published j1                                publish-failed j1 CODE        discarded j1
 *   tick                                        view j1                       story j1 [m0]
 *   restart [compacted]                         the next coordinator, from what was persisted; the reports of outputs come `again`
 *   show-events                                 job events, which are left out otherwise, from here on
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PersistRecord } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import { snapshotRecords } from '../../coordinator/core/snapshot.ts';
import { type CoreState, createState } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import { story } from '../../coordinator/core/story.ts';
import { viewJob } from '../../coordinator/core/view.ts';
import { type JobId, parseTask } from '../../lib/ids.ts';
import { formatEffect, formatPersist } from './transcript-effects.ts';
import { type Line, type Made, parseLine, toEvent } from './transcript-events.ts';

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

class Player {
  readonly #records: PersistRecord[] = [];
  #state: CoreState = createState({ epoch: 1 });
  readonly #made: Made = new Map();
  #now = 0;
  #showsEvents = false;

  play(text: string): string[] {
    const line = parseLine(text);
    switch (line.command) {
      case 'after':
        this.#now += Number(line.words[0]!.replace('s', '')) * 1000;
        return [];
      case 'show-events':
        this.#showsEvents = true;
        return [];
      case 'restart':
        return this.#restart(line);
      case 'story':
        return story(this.#state, line.words[0] as JobId, parseTask(line.words[1] ?? ''));
      case 'view':
        return this.#view(line);
      default:
        return this.#step(line);
    }
  }

  #restart({ words }: Line): string[] {
    const records = words.includes('compacted') ? snapshotRecords(this.#state) : [...this.#records];
    this.#state = createState({ epoch: this.#state.config.epoch + 1 });
    return this.#decide({ type: 'journal-replayed', records, now: this.#now });
  }

  #step(line: Line): string[] {
    return this.#decide({ ...toEvent(line, this.#made), now: this.#now } as Event);
  }

  #decide(event: Event): string[] {
    const { persist, effects } = step(this.#state, event);
    this.#records.push(...persist);
    assertInvariants(this.#state);
    const shown = effects.filter(
      (effect) => this.#showsEvents || (effect.type !== 'job-event' && effect.type !== 'worker-lost'),
    );
    return [...persist.map(formatPersist), ...shown.map(formatEffect)];
  }

  #view({ words }: Line): string[] {
    const view = viewJob(this.#state, words[0] as JobId)!;
    const { state, map, reduce, counters, cause, nonDeterministic } = view;
    const differing = nonDeterministic.length > 0 && { nonDeterministic };
    return [`${state} ${JSON.stringify({ map, reduce, counters, cause, ...differing })}`];
  }
}

function replay(text: string): string {
  const player = new Player();
  const blocks = text.split(/\n{2,}/).map((block) => block.trim());
  const played = blocks.map((block) => {
    const input = block.split('\n----')[0]!;
    const lines = input.split('\n').filter((line) => !line.startsWith('#') && line !== '');
    if (lines.length === 0) return block;
    const output = lines.flatMap((line) => player.play(line));
    return [input, '----', ...output].join('\n');
  });
  return `${played.join('\n\n')}\n`;
}

describe('what step() decides', () => {
  test.each(names)('%s', (name) => {
    const file = new URL(name, folder);
    const expected = readFileSync(file, 'utf8');
    const actual = replay(expected);
    if (process.env.UPDATE === '1') writeFileSync(file, actual);
    else expect(actual).toBe(expected);
  });

  test('there are transcripts to play', () => {
    expect(names.length).toBeGreaterThanOrEqual(12);
  });
});
