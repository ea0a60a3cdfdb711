package org.alignlang.conformance.generated;

import static org.alignlang.conformance.StandardObjectives.multipliers;
import static org.alignlang.conformance.StandardObjectives.parameters;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.format.Formatter;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.conformance.DetachedDifference;
import org.alignlang.conformance.RandomBatches;
import org.alignlang.conformance.RandomBatches.Regime;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.api.Test;

/**
 * Random well-typed specs: every one compiles, every back end computes what the interpreter does,
 * in double and in single precision, value and gradients, and the gradient is that of dual numbers
 * and, where the loss is smooth, of finite differences.
 *
 * <p>{@code -Dalign.generated.specs=10000} makes a long run of it, {@code
 * -Dalign.generated.first=N} begins elsewhere.
 */
class GeneratedSpecsTest {
  private static final int SPECS = Integer.getInteger("align.generated.specs", 40);
  private static final int TOGETHER = 20;
  private static final long FIRST = Long.getLong("align.generated.first", 1);

  private final Map<String, Integer> counts = new TreeMap<>();

  @Test
  void compileAndAgree() {
    List<String> failures = new ArrayList<>();
    for (long first = FIRST; first < FIRST + SPECS && failures.size() < 10; first += TOGETHER) {
      List<Case> cases = new ArrayList<>();
      for (long seed = first; seed < Math.min(first + TOGETHER, FIRST + SPECS); seed++) {
        long number = seed;
        SpecGenerator.Spec spec = SpecGenerator.of(seed, 2 + (int) (seed % 4));
        guarded(seed, spec, failures, () -> read(number, spec).ifPresent(cases::add));
      }
      List<ObjectiveKernel> kernels = compiled(cases, failures);
      for (int i = 0; i < cases.size(); i++) {
        Case each = cases.get(i);
        ObjectiveKernel jvm = kernels.get(i);
        guarded(each.seed, each.spec, failures, () -> tryOut(each, jvm));
      }
    }
    System.out.println("Generated specs: " + counts);
    assertThat(failures).isEmpty();
    int cancelled = counts.getOrDefault("a term that cancels", 0);
    assertThat(cancelled).isLessThanOrEqualTo(1 + SPECS / 100);
    assertThat(counts.getOrDefault("finite", 0)).isGreaterThanOrEqualTo(SPECS - cancelled);
    assertThat(counts.getOrDefault("finite differences", 0)).isGreaterThanOrEqualTo(SPECS / 20);
  }

  /** The kernels of specs, compiled together; one by one where that fails, to know which it is. */
  private static List<ObjectiveKernel> compiled(List<Case> cases, List<String> failures) {
    try {
      return KernelsTogether.compile(cases.stream().map(Case::objective).toList());
    } catch (IllegalStateException e) {
      int before = failures.size();
      List<ObjectiveKernel> kernels = new ArrayList<>();
      for (Case each : List.copyOf(cases)) {
        int known = failures.size();
        guarded(
            each.seed,
            each.spec,
            failures,
            () -> kernels.addAll(KernelsTogether.compile(List.of(each.objective))));
        if (failures.size() > known) {
          cases.remove(each);
        }
      }
      if (failures.size() == before) {
        throw e;
      }
      return kernels;
    }
  }

  /** A generated spec, compiled with and without simplification. */
  private record Case(
      long seed, SpecGenerator.Spec spec, CheckedObjective objective, CheckedObjective plain) {}

  private static void guarded(
      long seed, SpecGenerator.Spec spec, List<String> failures, Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | AssertionError | StackOverflowError e) {
      failures.add("seed %d: %s\n%s".formatted(seed, e, spec.text()));
    }
  }

  private void count(String what) {
    counts.merge(what, 1, Integer::sum);
  }

  private Optional<Case> read(long seed, SpecGenerator.Spec spec) {
    if (cancels(spec.text())) {
      count("a term that cancels");
      return Optional.empty();
    }
    Case read = new Case(seed, spec, compile(spec.text(), true), compile(spec.text(), false));
    count("compiled");
    String laidOut = laidOut(spec.text());
    assertThat(laidOut(laidOut)).as("laid out twice").isEqualTo(laidOut);
    return Optional.of(read);
  }

  private static String laidOut(String text) {
    return switch (Formatter.format(new SourceFile("generated.align", text))) {
      case Formatter.Outcome.Formatted formatted -> formatted.text();
      case Formatter.Outcome.Refused refused -> throw new AssertionError(refused.diagnostics());
    };
  }

  private void tryOut(Case each, ObjectiveKernel jvm) {
    long seed = each.seed;
    CheckedObjective objective = each.objective;
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Regime extreme = Regime.values()[random.nextInt(Regime.values().length)];
    Map<BackEnd, ObjectiveKernel> kernels = new LinkedHashMap<>();
    Map<BackEnd, ObjectiveKernel> single = new LinkedHashMap<>();
    for (BackEnd backEnd : BackEnds.all()) {
      boolean other = backEnd == BackEnds.JVM || backEnd == BackEnds.VECTOR;
      if (other) {
        // The loops of both for data in double precision are the same.
        single.put(backEnd, backEnd.kernel(objective));
      }
      if (backEnd != BackEnds.VECTOR) {
        kernels.put(backEnd, backEnd == BackEnds.JVM ? jvm : backEnd.kernel(objective));
      }
    }
    for (Regime regime : EnumSet.of(Regime.ORDINARY, extreme)) {
      Batch batch = RandomBatches.of(objective.signature(), regime, seed);
      compareBackEnds(objective, kernels, batch, regime);
      compareSingle(objective, kernels.get(BackEnds.REFERENCE), single, batch, regime, seed);
      if (regime == Regime.ORDINARY) {
        gradients(objective, each.spec.smooth(), batch, seed);
        compareGraphs(objective, each.plain, batch);
      }
    }
  }

  /** Whether the only thing wrong is that a term, and so its coefficient, comes to nothing. */
  private static boolean cancels(String text) {
    List<Diagnostic> errors =
        Compiler.compile(new SourceFile("generated.align", text), CompilerOptions.defaults())
            .diagnostics()
            .stream()
            .filter(Diagnostic::isError)
            .toList();
    return !errors.isEmpty()
        && errors.stream().allMatch(d -> d.code() == DiagnosticCode.UNUSED_PARAMETER);
  }

  private static CheckedObjective compile(String text, boolean simplify) {
    CompilerOptions options = new CompilerOptions(SourceResolver.none(), simplify, false);
    Compilation compilation = Compiler.compile(new SourceFile("generated.align", text), options);
    assertThat(compilation.diagnostics()).noneMatch(Diagnostic::isError);
    return compilation.objective("Generated").orElseThrow();
  }

  private record Outcome(Evaluation evaluation, String failure) {}

  private static Outcome run(CheckedObjective objective, ObjectiveKernel kernel, Batch batch) {
    Evaluation evaluation = new Evaluation(kernel.signature(), batch);
    try {
      kernel.evaluate(
          batch, parameters(objective), multipliers(objective), evaluation, Workers.serial());
      return new Outcome(evaluation, "");
    } catch (EvaluationException e) {
      return new Outcome(evaluation, String.valueOf(e.getMessage()));
    }
  }

  private void compareBackEnds(
      CheckedObjective objective,
      Map<BackEnd, ObjectiveKernel> kernels,
      Batch batch,
      Regime regime) {
    Outcome reference = run(objective, kernels.get(BackEnds.REFERENCE), batch);
    count(Double.isFinite(reference.evaluation.loss()) ? "finite" : "not finite");
    kernels.forEach((backEnd, kernel) -> {
      Outcome outcome = run(objective, kernel, batch);
      String what = backEnd.name() + ", " + regime;
      assertThat(outcome.failure).as(what).isEqualTo(reference.failure);
      if (!outcome.failure.isEmpty()) {
        return;
      }
      count(backEnd.name() + " evaluations");
      Evaluation found = outcome.evaluation;
      Evaluation wanted = reference.evaluation;
      if (regime == Regime.DIFFERENT_SUPPORTS && !Double.isFinite(wanted.loss())) {
        return;
      }
      // Differences of logits of 1e4 are known to 2e-12, however small they are.
      double error = regime == Regime.FAR_LOGITS ? 3e-9 : 1e-10;
      close(what + ", loss", new double[] {wanted.loss()}, new double[] {found.loss()}, error);
      for (int m = 0; m < found.metrics().length; m++) {
        close(
            what + ", metric " + m,
            new double[] {wanted.metrics()[m]},
            new double[] {found.metrics()[m]},
            error);
      }
      for (Signature.Input input : objective.program().gradients().keySet()) {
        close(
            what + ", gradient of " + input.name(),
            wanted.gradient(input.name()),
            found.gradient(input.name()),
            error);
      }
    });
  }

  // Single precision.

  /** How much the numbers of single precision are moved to see how much hangs on their rounding. */
  private static final double ROUNDING = 2e-7;

  private static final int MOVES = 4;

  /** What comes out of a batch: loss, metrics and gradients. */
  private static Map<String, double[]> numbers(CheckedObjective objective, Evaluation evaluation) {
    Map<String, double[]> numbers = new LinkedHashMap<>();
    numbers.put("loss", new double[] {evaluation.loss()});
    for (int m = 0; m < evaluation.metrics().length; m++) {
      numbers.put("metric " + m, new double[] {evaluation.metrics()[m]});
    }
    for (Signature.Input input : objective.program().gradients().keySet()) {
      numbers.put("gradient of " + input.name(), evaluation.gradient(input.name()));
    }
    return numbers;
  }

  /**
   * Data in single precision against the interpreter on the same data in double. A number may be
   * off by 1e-5 of the largest of its kind, and by what the interpreter's moves if each number of
   * the data is moved by an error of rounding: specs may make differences of large numbers and
   * compare equal ones.
   */
  private void compareSingle(
      CheckedObjective objective,
      ObjectiveKernel interpreter,
      Map<BackEnd, ObjectiveKernel> kernels,
      Batch exact,
      Regime regime,
      long seed) {
    if (jumps(objective)) {
      count("jumps, in single precision");
      return;
    }
    Signature signature = objective.signature();
    Batch batch = RandomBatches.as(Column.Type.F32, signature, exact);
    Outcome reference = run(objective, interpreter, batch);
    Map<String, double[]> wanted = numbers(objective, reference.evaluation);
    Map<String, double[]> slack = new LinkedHashMap<>();
    wanted.forEach((what, values) -> slack.put(what, new double[values.length]));
    for (int move = 0; move < MOVES; move++) {
      Outcome moved =
          run(objective, interpreter, RandomBatches.moved(signature, batch, ROUNDING, seed + move));
      if (!moved.failure.equals(reference.failure)) {
        return;
      }
      numbers(objective, moved.evaluation)
          .forEach((what, values) -> {
            for (int e = 0; e < values.length; e++) {
              double change = Math.abs(values[e] - wanted.get(what)[e]);
              slack.get(what)[e] = Math.max(slack.get(what)[e], change);
            }
          });
    }
    kernels.forEach((backEnd, kernel) -> {
      Outcome outcome = run(objective, kernel, batch);
      String name = backEnd.name() + " in single precision, " + regime;
      assertThat(outcome.failure).as(name).isEqualTo(reference.failure);
      if (!outcome.failure.isEmpty()) {
        return;
      }
      count(backEnd.name() + " evaluations in single precision");
      numbers(objective, outcome.evaluation)
          .forEach((what, found) ->
              closeEnough(name + ", " + what, wanted.get(what), found, slack.get(what)));
    });
  }

  /**
   * Whether a number may jump: {@code floor(log(pi(y)))} of a certain response is 0, or -1 where a
   * rounding error made it a little less certain.
   */
  private static boolean jumps(CheckedObjective objective) {
    return ObjectiveProgram.reachable(objective.program().outputs()).stream()
        .map(Node::operation)
        .anyMatch(operation ->
            operation instanceof Operation.Apply apply
                && (apply.function() == Unary.FLOOR || apply.function() == Unary.SIGN));
  }

  private void closeEnough(String what, double[] wanted, double[] found, double[] slack) {
    assertThat(found).as(what).hasSameSizeAs(wanted);
    double size = Arrays.stream(wanted).filter(Double::isFinite).map(Math::abs).max().orElse(0);
    double most = Arrays.stream(slack).max().orElse(0);
    // Losses and metrics may be 0 as a sum of ordinary numbers.
    double least = what.contains("gradient") ? 1e-2 : 0.2;
    if (!(size < 1e30 && most < 1e30)) {
      count("beyond single precision");
      return;
    }
    for (int e = 0; e < wanted.length; e++) {
      if (Double.isFinite(wanted[e])) {
        assertThat(Math.abs(found[e] - wanted[e]))
            .as("%s, element %d: %s for %s, slack %s", what, e, found[e], wanted[e], most)
            .isLessThanOrEqualTo(1e-5 * Math.max(size, least) + 4 * most);
      }
    }
  }

  /** Equal to a part of the largest number among them; what is not finite is so in both. */
  private static void close(String what, double[] wanted, double[] found, double error) {
    assertThat(found).as(what).hasSameSizeAs(wanted);
    double size = Arrays.stream(wanted).filter(Double::isFinite).map(Math::abs).max().orElse(0);
    for (int e = 0; e < wanted.length; e++) {
      if (Double.isFinite(wanted[e])) {
        assertThat(Math.abs(found[e] - wanted[e]))
            .as("%s, element %d: %s for %s", what, e, found[e], wanted[e])
            .isLessThanOrEqualTo(error * Math.max(size, 1e-3));
      } else {
        // Boxed: primitive numbers are compared with ==, and NaN is not NaN.
        assertThat(Double.valueOf(found[e]))
            .as("%s, element %d", what, e)
            .isEqualTo(Double.valueOf(wanted[e]));
      }
    }
  }

  private void gradients(CheckedObjective objective, boolean smooth, Batch batch, long seed) {
    Interpreter interpreter = new Interpreter(batch, parameters(objective), multipliers(objective));
    double loss = interpreter.value(objective.program().loss())[0];
    if (!Double.isFinite(loss)) {
      return;
    }
    Map<String, double[]> direction = new LinkedHashMap<>();
    double along = 0;
    double size = 0;
    for (Map.Entry<Signature.Input, Node> entry : objective.program().gradients().entrySet()) {
      double[] gradient = interpreter.value(entry.getValue());
      double[] step = RandomBatches.direction(gradient.length, seed);
      for (int e = 0; e < gradient.length; e++) {
        assertThat(gradient[e]).as("gradient of %s, element %d", entry.getKey(), e).isFinite();
        along += gradient[e] * step[e];
        size += Math.abs(gradient[e] * step[e]);
      }
      direction.put(entry.getKey().name(), step);
    }
    double tangent = interpreter.tangent(objective.program().loss(), direction)[0];
    count("dual numbers");
    assertThat(Math.abs(along - tangent))
        .as("gradient %s, dual numbers %s", along, tangent)
        .isLessThanOrEqualTo(1e-9 * size + 1e-12);
    if (smooth) {
      count("finite differences");
      double difference =
          DetachedDifference.along(
              objective, batch, direction, parameters(objective), multipliers(objective));
      assertThat(Math.abs(along - difference))
          .as("gradient %s, finite difference %s", along, difference)
          .isLessThanOrEqualTo(1e-4 * (1e-2 + size) + 1e-7 * Math.abs(loss));
    }
  }

  private void compareGraphs(CheckedObjective objective, CheckedObjective plain, Batch batch) {
    Map<String, double[]> simplified = outputs(objective, batch);
    Map<String, double[]> written = outputs(plain, batch);
    assertThat(written).containsKeys(simplified.keySet().toArray(String[]::new));
    count("graphs as written");
    written.forEach((output, values) -> {
      // A reward that cancels is not among the metrics any more.
      boolean kept = simplified.containsKey(output) || !output.startsWith("metric ");
      if (kept && Arrays.stream(values).allMatch(Double::isFinite)) {
        // A gradient that turns out to be 0 everywhere is none.
        double[] found = simplified.getOrDefault(output, new double[values.length]);
        close("as written, " + output, values, found, 1e-8);
      }
    });
  }

  private static Map<String, double[]> outputs(CheckedObjective objective, Batch batch) {
    ObjectiveProgram program = objective.program();
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put("loss", program.loss());
    for (int i = 0; i < program.metrics().size(); i++) {
      nodes.put("metric " + objective.signature().metrics().get(i), program.metrics().get(i));
    }
    for (int i = 0; i < program.violations().size(); i++) {
      nodes.put("violation " + i, program.violations().get(i));
    }
    program.gradients().forEach((input, node) -> nodes.put("gradient of " + input.name(), node));
    Interpreter interpreter = new Interpreter(batch, parameters(objective), multipliers(objective));
    Map<String, double[]> values = new LinkedHashMap<>();
    nodes.forEach((name, node) -> values.put(name, interpreter.value(node)));
    return values;
  }
}
