import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.conf.Configured;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IntWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Reducer;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.input.KeyValueTextInputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.partition.InputSampler;
import org.apache.hadoop.mapreduce.lib.partition.TotalOrderPartitioner;
import org.apache.hadoop.mapreduce.lib.reduce.LongSumReducer;
import org.apache.hadoop.util.Tool;
import org.apache.hadoop.util.ToolRunner;

/** The scenarios as MapReduce jobs: {@code java HadoopPeer [-D name=value …] SCENARIO INPUT OUTPUT TEXT}. */
public final class HadoopPeer extends Configured implements Tool {
  private static final String TEXT = "peer.text";
  /** Fields of an access log line. */
  private static final int PATH = 6;
  private static final int STATUS = 8;
  private static final int MS = 10;

  public static void main(String[] args) throws Exception {
    System.exit(ToolRunner.run(new Configuration(), new HadoopPeer(), args));
  }

  @Override
  public int run(String[] args) throws Exception {
    getConf().set(TEXT, args[3]);
    Job job = Job.getInstance(getConf(), args[0]);
    job.setJarByClass(HadoopPeer.class);
    FileInputFormat.addInputPath(job, new Path(args[1]));
    FileOutputFormat.setOutputPath(job, new Path(args[2]));
    switch (args[0]) {
      case "word-count", "start-up" -> {
        set(job, WordMapper.class, Text.class, LongWritable.class, LongSumReducer.class);
        job.setCombinerClass(LongSumReducer.class);
      }
      case "grep" -> {
        set(job, GrepMapper.class, NullWritable.class, LongWritable.class, LongSumReducer.class);
        job.setNumReduceTasks(1);
      }
      case "inverted-index" -> set(job, IndexMapper.class, Text.class, Text.class, IndexReducer.class);
      case "p99" -> set(job, TimeMapper.class, Text.class, IntWritable.class, PercentileReducer.class);
      case "map-only" -> {
        set(job, FailedMapper.class, Text.class, Text.class, Reducer.class);
        job.setNumReduceTasks(0);
      }
      case "sort" -> sort(job);
      default -> throw new IllegalArgumentException("no scenario " + args[0]);
    }
    return job.waitForCompletion(true) ? 0 : 1;
  }

  @SuppressWarnings("rawtypes")
  private static void set(
      Job job, Class<? extends Mapper> mapper, Class<?> key, Class<?> value, Class<? extends Reducer> reducer) {
    job.setMapperClass(mapper);
    job.setReducerClass(reducer);
    job.setOutputKeyClass(key);
    job.setOutputValueClass(value);
  }

  /** Whole lines are keys, so that nothing is parsed and their bytes are compared; samples put the reducers in total order. */
  private static void sort(Job job) throws Exception {
    job.setInputFormatClass(KeyValueTextInputFormat.class);
    set(job, LineMapper.class, Text.class, NullWritable.class, Reducer.class);
    job.setPartitionerClass(TotalOrderPartitioner.class);
    Path samples = new Path(job.getConfiguration().get("hadoop.tmp.dir"), "samples");
    TotalOrderPartitioner.setPartitionFile(job.getConfiguration(), samples);
    InputSampler.writePartitionFile(job, new InputSampler.SplitSampler<Text, Text>(10_000, 10));
  }

  public static final class WordMapper extends Mapper<LongWritable, Text, Text, LongWritable> {
    private static final LongWritable ONE = new LongWritable(1);
    private final Text word = new Text();

    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException, InterruptedException {
      byte[] bytes = line.getBytes();
      int end = line.getLength();
      for (int from = 0, at = 0; at <= end; at++) {
        if (at < end && bytes[at] != ' ') continue;
        word.set(bytes, from, at - from);
        context.write(word, ONE);
        from = at + 1;
      }
    }
  }

  /** A line without a tab is a key with an empty value. */
  public static final class LineMapper extends Mapper<Text, Text, Text, NullWritable> {
    @Override
    protected void map(Text line, Text empty, Context context) throws IOException, InterruptedException {
      context.write(line, NullWritable.get());
    }
  }

  /** One count per map: what a combiner would make of the lines. */
  public static final class GrepMapper extends Mapper<LongWritable, Text, NullWritable, LongWritable> {
    private String wanted;
    private long found;

    @Override
    protected void setup(Context context) {
      wanted = context.getConfiguration().get(TEXT);
    }

    @Override
    protected void map(LongWritable offset, Text line, Context context) {
      if (line.find(wanted) >= 0) found++;
    }

    @Override
    protected void cleanup(Context context) throws IOException, InterruptedException {
      context.write(NullWritable.get(), new LongWritable(found));
    }
  }

  public static final class IndexMapper extends Mapper<LongWritable, Text, Text, Text> {
    private final Text word = new Text();
    private final Text document = new Text();

    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException, InterruptedException {
      String[] fields = line.toString().split("\t");
      document.set(fields[0]);
      for (String each : new HashSet<>(Arrays.asList(fields[1].split(" ")))) {
        word.set(each);
        context.write(word, document);
      }
    }
  }

  public static final class IndexReducer extends Reducer<Text, Text, Text, Text> {
    @Override
    protected void reduce(Text word, Iterable<Text> documents, Context context)
        throws IOException, InterruptedException {
      TreeSet<String> sorted = new TreeSet<>();
      for (Text document : documents) sorted.add(document.toString());
      context.write(word, new Text(String.join(",", sorted)));
    }
  }

  public static final class TimeMapper extends Mapper<LongWritable, Text, Text, IntWritable> {
    private final Text path = new Text();
    private final IntWritable ms = new IntWritable();

    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException, InterruptedException {
      String[] fields = line.toString().split(" ");
      path.set(fields[PATH]);
      ms.set(Integer.parseInt(fields[MS]));
      context.write(path, ms);
    }
  }

  public static final class PercentileReducer extends Reducer<Text, IntWritable, Text, IntWritable> {
    @Override
    protected void reduce(Text path, Iterable<IntWritable> times, Context context)
        throws IOException, InterruptedException {
      IntStream.Builder all = IntStream.builder();
      for (IntWritable time : times) all.add(time.get());
      int[] sorted = all.build().sorted().toArray();
      context.write(path, new IntWritable(sorted[(99 * sorted.length + 99) / 100 - 1]));
    }
  }

  public static final class FailedMapper extends Mapper<LongWritable, Text, Text, Text> {
    private final Text path = new Text();
    private final Text ms = new Text();

    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException, InterruptedException {
      String[] fields = line.toString().split(" ");
      if (Integer.parseInt(fields[STATUS]) < 500) return;
      path.set(fields[PATH]);
      ms.set(fields[MS]);
      context.write(path, ms);
    }
  }
}
