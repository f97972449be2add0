import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** The scenarios on RDDs: {@code spark-submit --class SparkPeer spark-peer.jar SCENARIO INPUT OUTPUT TEXT}. */
public final class SparkPeer {
  private static final int KEY_LENGTH = 10;
  /** Fields of an access log line. */
  private static final int PATH = 6;
  private static final int STATUS = 8;
  private static final int MS = 10;

  public static void main(String[] args) throws IOException {
    String scenario = args[0];
    String output = args[2];
    try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName(scenario))) {
      JavaRDD<String> lines = spark.textFile(args[1]);
      switch (scenario) {
        case "word-count", "start-up" -> countWords(lines).saveAsTextFile(output);
        case "sort" -> sort(lines).saveAsTextFile(output);
        case "inverted-index" -> index(lines).saveAsTextFile(output);
        case "p99" -> percentiles(lines).saveAsTextFile(output);
        case "map-only" -> failed(lines).saveAsTextFile(output);
        case "grep" -> {
          String text = args[3];
          long found = lines.filter(line -> line.contains(text)).count();
          Files.writeString(Path.of(output), found + "\n");
        }
        default -> throw new IllegalArgumentException("no scenario " + scenario);
      }
    }
  }

  private static JavaRDD<String> countWords(JavaRDD<String> lines) {
    return lines
        .flatMap(line -> Arrays.asList(line.split(" ")).iterator())
        .mapToPair(word -> new Tuple2<>(word, 1))
        .reduceByKey(Integer::sum)
        .map(pair -> pair._1 + "\t" + pair._2);
  }

  private static JavaRDD<String> sort(JavaRDD<String> lines) {
    return lines.mapToPair(line -> new Tuple2<>(line.substring(0, KEY_LENGTH), line)).sortByKey().values();
  }

  private static JavaRDD<String> index(JavaRDD<String> lines) {
    JavaPairRDD<String, String> documents = lines.flatMapToPair(line -> {
      int tab = line.indexOf('\t');
      String document = line.substring(0, tab);
      HashSet<String> words = new HashSet<>(Arrays.asList(line.substring(tab + 1).split(" ")));
      return words.stream().map(word -> new Tuple2<>(word, document)).iterator();
    });
    return documents.groupByKey().map(group -> {
      TreeSet<String> sorted = new TreeSet<>();
      group._2.forEach(sorted::add);
      return group._1 + "\t" + String.join(",", sorted);
    });
  }

  private static JavaRDD<String> percentiles(JavaRDD<String> lines) {
    JavaPairRDD<String, Integer> times = lines.mapToPair(line -> {
      String[] fields = line.split(" ");
      return new Tuple2<>(fields[PATH], Integer.valueOf(fields[MS]));
    });
    return times.groupByKey().map(group -> {
      IntStream.Builder all = IntStream.builder();
      group._2.forEach(all::add);
      int[] sorted = all.build().sorted().toArray();
      return group._1 + "\t" + sorted[(99 * sorted.length + 99) / 100 - 1];
    });
  }

  private static JavaRDD<String> failed(JavaRDD<String> lines) {
    return lines
        .map(line -> line.split(" "))
        .filter(fields -> Integer.parseInt(fields[STATUS]) >= 500)
        .map(fields -> fields[PATH] + "\t" + fields[MS]);
  }

  private SparkPeer() {}
}
