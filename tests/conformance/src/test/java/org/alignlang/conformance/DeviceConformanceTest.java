package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.alignlang.tornado.DeviceKernel;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Kernels on a device against the reference interpreter: the cases of {@link
 * BackEndConformanceTest} with its tolerances, of which the share is 3e-5. Skipped where no
 * TornadoVM SDK is.
 *
 * <p>{@code -Ddevice.objectives=REGEX} says which objectives; all of them take half an hour on the
 * OpenCL device of a processor. {@code -Dalign.device.part=0/8} takes every eighth, for several
 * processes side by side.
 */
class DeviceConformanceTest {
  private static final double SINGLE = 3e-5;

  @BeforeAll
  static void requireDevice() {
    String problem = TornadoBackEnd.problem();
    if (Boolean.getBoolean("align.device.required")) {
      assertThat(problem).isEmpty();
    }
    assumeTrue(problem.isEmpty(), problem);
  }

  static Stream<StandardObjectives.Variant> objectives() {
    Pattern wanted = Pattern.compile(System.getProperty("align.device.objectives", ".*"));
    String[] part = System.getProperty("align.device.part", "0/1").split("/", -1);
    int first = Integer.parseInt(part[0]);
    int parts = Integer.parseInt(part[1]);
    List<StandardObjectives.Variant> chosen =
        StandardObjectives.all().stream()
            .filter(variant -> wanted.matcher(variant.name()).matches())
            .filter(variant -> TornadoBackEnd.refusal(variant.simplified()).isEmpty())
            .toList();
    return IntStream.range(0, chosen.size()).filter(i -> i % parts == first).mapToObj(chosen::get);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("objectives")
  void saysWhatTheReferenceSays(StandardObjectives.Variant variant) {
    CheckedObjective objective = variant.simplified();
    Signature signature = objective.signature();
    ObjectiveKernel reference = BackEnds.REFERENCE.kernel(objective);
    double[] parameters = StandardObjectives.parameters(objective);
    double[] multipliers = new double[signature.constraints().size()];
    Arrays.fill(multipliers, 0.7);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      for (BackEndConformanceTest.Case each : BackEndConformanceTest.cases(signature)) {
        Evaluation expected = new Evaluation(signature, each.batch());
        String failure =
            BackEndConformanceTest.run(reference, each, parameters, multipliers, expected);
        String what = variant.name() + " on a device, " + each;
        Evaluation actual = new Evaluation(signature, each.batch());
        assertThat(BackEndConformanceTest.run(kernel, each, parameters, multipliers, actual))
            .as(what)
            .isEqualTo(failure);
        if (failure.isEmpty()) {
          BackEndConformanceTest.compare(what, signature, each, SINGLE, expected, actual);
          assertSameBits(what, signature, each.batch(), parameters, multipliers, kernel, actual);
        }
      }
    }
  }

  private static void assertSameBits(
      String what,
      Signature signature,
      Batch batch,
      double[] parameters,
      double[] multipliers,
      ObjectiveKernel kernel,
      Evaluation first) {
    Evaluation again = new Evaluation(signature, batch);
    kernel.evaluate(batch, parameters, multipliers, again, Workers.serial());
    assertThat(again.loss()).as(what).isEqualTo(Double.valueOf(first.loss()));
    List<String> trained =
        signature.inputs().stream()
            .filter(Signature.Input::trained)
            .map(Signature.Input::name)
            .toList();
    for (String input : trained) {
      assertThat(again.gradient(input)).as(what + ", " + input).isEqualTo(first.gradient(input));
    }
  }
}
