package org.alignlang.compiler.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Generated kernels against the interpreter. */
class JvmBackEndTest {
  private static final String VOCABULARY =
      """
      objective Distill(beta: Real = 0.3) {
        policy pi
        reference ref
        minimize mean[token, sequence](
          KL(pi(y.vocab) || ref(y.vocab)) - beta * entropy(pi(y.vocab)) - log(pi(y.token)))
      }
      """;

  /** Reads whole distributions and never the taken token. */
  private static final String NO_TOKENS =
      """
      objective Imitate(blend: Real = 0.3) {
        policy  pi
        teacher big
        let forward = KL(big(y.vocab) || pi(y.vocab))
        minimize mean[token, sequence](
          blend * forward + (1 - blend) * KL(pi(y.vocab) || big(y.vocab)))
      }
      """;

  private static final String ORDERED =
      """
      objective Aot(beta: Real = 0.1) {
        policy    pi
        reference ref
        pairs     chosen > rejected
        let x = log(pi(chosen)) - log(pi(rejected))
        let z = log(ref(chosen)) - log(ref(rejected))
        minimize mean[pair](-log_sigmoid(beta * (sort[batch](x) - sort[batch](z))))
          + quantile[batch](x, 0.3) + sum[batch](quantile[group](x * x, 0.75) * x)
      }
      """;

  private static final String TOKENS_ORDERED =
      """
      objective TokensOrdered(share: Real = 0.3) {
        policy  pi
        feature weight: token
        reward  score: sequence
        group by prompt
        let l = log(pi(y.token))
        let top = rank[batch](-weight * stop(l)) < max(1, floor(share * count[batch](l)))
        minimize mean[token, sequence]((if top then l * weight else l * l) * score)
          + sum[batch](sort[token](l * weight) * position(y) + sort[group](l) * weight) / 10
          + quantile[batch](l, share) + mean[batch](cvar[group](l, 0.6))
          + mean[token, sequence](l * mean[group](l * weight, at = position(y)))
          + sum[batch](sort[batch](l))
      }
      """;

  private static final String BESIDE =
      """
      objective Beside {
        policy  pi
        pairs   chosen > rejected
        let l(s) = log(pi(s.token))
        let other = beside(l(rejected), chosen)
        minimize mean[pair](sum[token](-log_sigmoid(l(chosen) - other)))
          + mean[pair](sum[token](beside(cumsum(l(chosen)), rejected) * l(rejected))) / 10
      }
      """;

  private static final String SWEEPS =
      """
      objective Sweeps(gamma: Real = 0.9) {
        policy  pi
        reward  hit: token
        feature speed: sequence
        let logp = log(pi(y.token))
        let early = cumsum(logp, 0.5)
        let late = togo(logp * logp, sigmoid(speed))
        minimize mean[sequence](sum[token](early * next(late) - previous(logp) * togo(hit, gamma)))
          + mean[token, sequence](togo(cumsum(logp) * position(y)) / max(togo(exp(stop(logp))), 0.1))
        metric discounted = mean[sequence](return(hit, gamma))
      }
      """;

  @TestFactory
  Stream<DynamicTest> everyObjectiveOfTheStandardLibrary() {
    return Stream.concat(
            StandardLibrary.paths().stream()
                .map(p -> new SourceFile(p, StandardLibrary.source(p).orElseThrow())),
            Stream.of(
                new SourceFile("distill.align", VOCABULARY),
                new SourceFile("imitate.align", NO_TOKENS),
                new SourceFile("aot.align", ORDERED),
                new SourceFile("tokens.align", TOKENS_ORDERED),
                new SourceFile("beside.align", BESIDE),
                new SourceFile("sweeps.align", SWEEPS)))
        .flatMap(source -> compile(source).stream())
        .map(o ->
            DynamicTest.dynamicTest(
                o.signature().source() + " " + o.name(),
                () -> {
                  ObjectiveKernel jvm = BackEnds.JVM.kernel(o);
                  ObjectiveKernel reference = BackEnds.REFERENCE.kernel(o);
                  for (int seed = 1; seed <= 5; seed++) {
                    Batch batch = batch(o.signature(), new SplittableRandom(seed));
                    compare(jvm, reference, batch, seed);
                  }
                }));
  }

  @Test
  void hasTheSameBitsForAnyRangesOfRows() {
    CheckedObjective objective = compile(new SourceFile("d.align", VOCABULARY)).get(0);
    ObjectiveKernel kernel = BackEnds.JVM.kernel(objective);
    Batch batch = batch(objective.signature(), new SplittableRandom(3));
    Evaluation serial = new Evaluation(objective.signature(), batch);
    kernel.evaluate(
        batch, parameters(objective.signature()), new double[0], serial, Workers.serial());
    Workers scattered =
        (count, task) -> {
          for (int i = count - 1; i >= 0; i--) {
            task.run(i, i + 1);
          }
        };
    Evaluation other = new Evaluation(objective.signature(), batch);
    kernel.evaluate(batch, parameters(objective.signature()), new double[0], other, scattered);
    assertThat(other.loss()).isEqualTo(serial.loss());
    assertThat(other.gradient("logits")).isEqualTo(serial.gradient("logits"));
  }

  @Test
  void allocatesNothingAfterTheFirstCallOnABatch() {
    for (SourceFile source :
        List.of(
            new SourceFile("distill.align", VOCABULARY),
            new SourceFile("imitate.align", NO_TOKENS),
            new SourceFile("aot.align", ORDERED),
            new SourceFile("tokens.align", TOKENS_ORDERED),
            new SourceFile("beside.align", BESIDE),
            new SourceFile("sweeps.align", SWEEPS))) {
      CheckedObjective objective = compile(source).get(0);
      ObjectiveKernel kernel = BackEnds.JVM.kernel(objective);
      Batch batch = batch(objective.signature(), new SplittableRandom(4));
      Evaluation result = new Evaluation(objective.signature(), batch);
      double[] parameters = parameters(objective.signature());
      double[] multipliers = new double[0];
      Workers workers = Workers.serial();
      for (int call = 0; call < 20; call++) {
        kernel.evaluate(batch, parameters, multipliers, result, workers);
      }
      var threads =
          (com.sun.management.ThreadMXBean)
              java.lang.management.ManagementFactory.getThreadMXBean();
      // The JVM itself may allocate on this thread now and then; a kernel would do so each time.
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 5; attempt++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int call = 0; call < 100; call++) {
          kernel.evaluate(batch, parameters, multipliers, result, workers);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertThat(least).as(objective.name()).isZero();
    }
  }

  @Test
  void gradientsOfOrderStatisticsAreThoseOfFiniteDifferences() {
    differences(ORDERED, "rejected.logp");
    differences(TOKENS_ORDERED, "logp");
    differences(BESIDE, "rejected.logp");
    differences(BESIDE, "chosen.logp");
  }

  private static void differences(String spec, String input) {
    CheckedObjective objective = compile(new SourceFile("ordered.align", spec)).get(0);
    Batch batch = batch(objective.signature(), new SplittableRandom(5));
    Evaluation result = new Evaluation(objective.signature(), batch);
    ObjectiveKernel kernel = BackEnds.JVM.kernel(objective);
    double[] parameters = parameters(objective.signature());
    kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
    double[] gradient = result.gradient(input).clone();
    double[] column = batch.column(input);
    for (int i = 0; i < column.length; i++) {
      double before = column[i];
      column[i] = before + 1e-6;
      kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
      double up = result.loss();
      column[i] = before - 1e-6;
      kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
      double down = result.loss();
      column[i] = before;
      assertThat(gradient[i]).isCloseTo((up - down) / 2e-6, Offset.offset(1e-6));
    }
  }

  @Test
  void splitsWhatWouldBeTooLargeForOneMethod() {
    StringBuilder text =
        new StringBuilder("objective Long(a: Real = 0.5) {\n  policy pi\n  reference ref\n");
    String last = "pi(y.token) / ref(y.token)";
    for (int i = 0; i < 400; i++) {
      text.append("  let x")
          .append(i)
          .append(" = log(1 + ((")
          .append(last)
          .append(") * a)^2 + 0.1)\n");
      last = "exp(-x" + i + ")";
    }
    text.append("  minimize mean[sequence](sum[token](").append(last).append("))\n}\n");
    CheckedObjective objective = compile(new SourceFile("long.align", text.toString())).get(0);
    Batch batch = batch(objective.signature(), new SplittableRandom(2));
    compare(BackEnds.JVM.kernel(objective), BackEnds.REFERENCE.kernel(objective), batch, 1);
    assertThat(Planner.plan(objective.program(), objective.builder()).sites().values())
        .allSatisfy(block -> assertThat(block.computed().size()).isLessThanOrEqualTo(400));
  }

  @Test
  void hostileTextIsNeverCode() {
    String spec =
        """
        /// */ static { System.exit(1); } /* \\u002a\\u002f
        /// {@link x} @throws <b>
        objective class'(int: Real = 0.1, Δ: Real = 1) {
          policy    pi
          reference ref
          pairs     chosen > rejected
          let double = log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected))  // \\u000a System.exit(1);
          minimize mean[pair](-log_sigmoid(int * Δ * double))
        }
        """;
    CheckedObjective objective = compile(new SourceFile("a\nb\\u000a.align", spec)).get(0);
    Batch batch = batch(objective.signature(), new SplittableRandom(2));
    compare(BackEnds.JVM.kernel(objective), BackEnds.REFERENCE.kernel(objective), batch, 1);
  }

  private static List<CheckedObjective> compile(SourceFile source) {
    Compilation result = Compiler.compile(source, CompilerOptions.defaults());
    assertThat(result.diagnostics()).filteredOn(d -> d.isError()).isEmpty();
    return result.objectives();
  }

  private static double[] parameters(Signature signature) {
    return signature.parameters().stream()
        .mapToDouble(p -> Double.isNaN(p.defaultValue()) ? 0.5 : p.defaultValue())
        .toArray();
  }

  private static void compare(
      ObjectiveKernel kernel, ObjectiveKernel reference, Batch batch, int seed) {
    Signature signature = reference.signature();
    assertThat(kernel.signature()).isEqualTo(signature);
    double[] multipliers = new double[signature.constraints().size()];
    java.util.Arrays.setAll(multipliers, i -> 0.3 * (i + seed));
    Evaluation expected = new Evaluation(signature, batch);
    reference.evaluate(batch, parameters(signature), multipliers, expected, Workers.serial());
    Evaluation actual = new Evaluation(signature, batch);
    for (int call = 0; call < 2; call++) {
      kernel.evaluate(batch, parameters(signature), multipliers, actual, Workers.serial());
      close(actual.loss(), expected.loss());
      close(actual.metrics(), expected.metrics());
      close(actual.violations(), expected.violations());
      for (Signature.Input input : signature.inputs()) {
        if (input.trained()) {
          close(actual.gradient(input.name()), expected.gradient(input.name()));
        }
      }
    }
  }

  private static void close(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      close(actual[i], expected[i]);
    }
  }

  private static void close(double actual, double expected) {
    if (Double.isNaN(expected)) {
      assertThat(actual).isNaN();
    } else {
      assertThat(actual)
          .isCloseTo(expected, Offset.offset(1e-12 * Math.max(1, Math.abs(expected))));
    }
  }

  private static Batch batch(Signature signature, SplittableRandom random) {
    int rows = 8;
    int vocabulary = 5;
    Batch.Builder batch = Batch.builder(rows).vocabulary(vocabulary);
    java.util.Map<String, Integer> tokens = new java.util.HashMap<>();
    for (String sequence : signature.sequences()) {
      int[] offsets = new int[rows + 1];
      for (int i = 0; i < rows; i++) {
        offsets[i + 1] = offsets[i] + 1 + random.nextInt(4);
      }
      tokens.put(sequence, offsets[rows]);
      batch.sequence(sequence, offsets);
      batch.tokens(sequence, random.ints(offsets[rows], 0, vocabulary).toArray());
    }
    batch.groupBy(new int[] {0, 0, 1, 1, 1, 2, 2, 2});
    for (Signature.Input input : signature.inputs()) {
      int length =
          switch (input.level()) {
            case BATCH -> 1;
            case GROUP -> 3;
            case PAIR, SEQUENCE -> rows;
            case TOKEN -> tokens.get(input.sequence());
            case VOCAB -> tokens.get(input.sequence()) * vocabulary;
          };
      double[] values =
          random.doubles((long) length * Math.max(1, input.members()), -2, 2).toArray();
      for (int i = 0; i < values.length; i++) {
        if (input.role() == Signature.Role.LOG_PROBABILITY) {
          values[i] = -Math.abs(values[i]) - 0.01;
        } else if (input.name().endsWith("label")) {
          values[i] = values[i] > 0 ? 1 : 0;
        } else if (input.level() == Level.GROUP) {
          values[i] = Math.abs(values[i]);
        }
      }
      batch.column(input.name(), values);
    }
    return batch.build();
  }
}
