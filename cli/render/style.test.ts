import { expect, it } from 'vitest';
import { wantsColour } from './style.ts';

it('follows the terminal when nothing else is said', () => {
  expect(wantsColour({}, true)).toBe(true);
  expect(wantsColour({}, false)).toBe(false);
});

it('honours NO_COLOR and TERM=dumb; an empty NO_COLOR says nothing', () => {
  expect(wantsColour({ NO_COLOR: '1' }, true)).toBe(false);
  expect(wantsColour({ NO_COLOR: '' }, true)).toBe(true);
  expect(wantsColour({ TERM: 'dumb' }, true)).toBe(false);
});

it('lets FORCE_COLOR win, also to switch off', () => {
  expect(wantsColour({ FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(true);
  expect(wantsColour({ FORCE_COLOR: '0' }, true)).toBe(false);
});
