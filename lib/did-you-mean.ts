/** The nearest of `known` to a misspelt `word` as `; did you mean 'x'?`, for the end of an error message; empty when none is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const wanted = word.toLowerCase();
  let best = '';
  let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best && `; did you mean '${best}'?`;
}

/** Levenshtein distance, a swap of neighbours counting as one edit. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1, swapped ? beforeLast[j - 2]! + 1 : replaced);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
