"""The scenarios on RDDs of PySpark: `spark-submit jobs.py SCENARIO INPUT OUTPUT TEXT`."""
import sys
from operator import add

from pyspark import SparkContext

KEY_LENGTH = 10
# Fields of an access log line.
PATH, STATUS, MS = 6, 8, 10


def count_words(lines):
    return (
        lines.flatMap(lambda line: line.split(" "))
        .map(lambda word: (word, 1))
        .reduceByKey(add)
        .map(lambda pair: f"{pair[0]}\t{pair[1]}")
    )


def sort(lines):
    return lines.sortBy(lambda line: line[:KEY_LENGTH])


def index(lines):
    def words_of(line):
        document, text = line.split("\t")
        return [(word, document) for word in set(text.split(" "))]

    return lines.flatMap(words_of).groupByKey().map(lambda group: f"{group[0]}\t{','.join(sorted(group[1]))}")


def percentiles(lines):
    def time_of(line):
        fields = line.split(" ")
        return fields[PATH], int(fields[MS])

    def percentile(times):
        ordered = sorted(times)
        return ordered[(99 * len(ordered) + 99) // 100 - 1]

    return lines.map(time_of).groupByKey().map(lambda group: f"{group[0]}\t{percentile(group[1])}")


def failed(lines):
    return (
        lines.map(lambda line: line.split(" "))
        .filter(lambda fields: int(fields[STATUS]) >= 500)
        .map(lambda fields: f"{fields[PATH]}\t{fields[MS]}")
    )


JOBS = {
    "word-count": count_words,
    "start-up": count_words,
    "sort": sort,
    "inverted-index": index,
    "p99": percentiles,
    "map-only": failed,
}


def main(scenario, source, output, text):
    spark = SparkContext(appName=scenario)
    lines = spark.textFile(source)
    if scenario == "grep":
        found = lines.filter(lambda line: text in line).count()
        with open(output, "w") as file:
            file.write(f"{found}\n")
    else:
        JOBS[scenario](lines).saveAsTextFile(output)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
