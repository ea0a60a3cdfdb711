package org.alignlang.benchmarks;

import java.util.concurrent.TimeUnit;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.bench.MemoryTraffic;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One thread; the policy workload by its vocabulary, the others by their tokens. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-Xmx4g"
    })
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
  /** The workload and its size: rows, tokens per row, vocabulary. */
  @Param({
    "POLICY 64 8 32000",
    "POLICY 256 8 512",
    "GRPO 512 1024 1",
    "PPO 512 1024 1",
    "DPO 512 1024 1"
  })
  public String workload = "";

  /** Who computes it. */
  @Param({"vector", "jvm", "libtorch", "copy"})
  public String contestant = "";

  private Runnable step = () -> {};

  @Setup
  public void prepare() {
    String[] words = workload.split(" ");
    Workload made =
        Workload.of(
            Workload.Kind.valueOf(words[0]),
            new Shape(
                Integer.parseInt(words[1]),
                Integer.parseInt(words[2]),
                Integer.parseInt(words[3])));
    step =
        switch (contestant) {
          case "copy" -> {
            MemoryTraffic traffic = new MemoryTraffic(made.bytes());
            yield () -> traffic.run(Workers.serial());
          }
          case "libtorch" -> {
            if (!LibtorchContestant.isAvailable()) {
              throw new IllegalStateException("libtorch is not there: build with -Plibtorch");
            }
            LibtorchContestant.threads(1);
            yield new LibtorchContestant(made)::step;
          }
          default ->
              new KernelContestant(made, BackEnds.find(contestant).orElseThrow(), Workers.serial())
                  ::step;
        };
  }

  @Benchmark
  public void step() {
    step.run();
  }
}
