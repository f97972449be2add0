"""The scenarios on bags of Dask in processes: `python jobs.py SCENARIO INPUT OUTPUT THREADS TEXT`."""
import sys

import dask
import dask.bag

BLOCK_BYTES = 16 * 2**20
# Fields of an access log line.
PATH, STATUS, MS = 6, 8, 10


def append(values, pair):
    values.append(pair[1])
    return values


def extend(values, more):
    values.extend(more)
    return values


def gather(pairs):
    """Of pairs of key and value, each key with a list of its values."""
    return pairs.foldby(lambda pair: pair[0], append, list, extend, list)


def count_words(lines):
    return lines.str.split().flatten().frequencies().map(lambda pair: f"{pair[0]}\t{pair[1]}")


def index(lines):
    def words_of(line):
        document, text = line.split("\t")
        return [(word, document) for word in set(text.split())]

    return gather(lines.map(words_of).flatten()).map(lambda group: f"{group[0]}\t{','.join(sorted(group[1]))}")


def percentiles(lines):
    def time_of(line):
        fields = line.split()
        return fields[PATH], int(fields[MS])

    def percentile(times):
        ordered = sorted(times)
        return ordered[(99 * len(ordered) + 99) // 100 - 1]

    return gather(lines.map(time_of)).map(lambda group: f"{group[0]}\t{percentile(group[1])}")


def failed(lines):
    return (
        lines.str.split()
        .filter(lambda fields: int(fields[STATUS]) >= 500)
        .map(lambda fields: f"{fields[PATH]}\t{fields[MS]}")
    )


JOBS = {
    "word-count": count_words,
    "start-up": count_words,
    "inverted-index": index,
    "p99": percentiles,
    "map-only": failed,
}


def main(scenario, source, output, threads, text):
    dask.config.set(scheduler="processes", num_workers=int(threads))
    lines = dask.bag.read_text(source, blocksize=BLOCK_BYTES)
    if scenario == "grep":
        found = lines.filter(lambda line: text in line).count().compute()
        with open(output, "w") as file:
            file.write(f"{found}\n")
    else:
        JOBS[scenario](lines).to_textfiles(f"{output}/part-*", last_endline=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
