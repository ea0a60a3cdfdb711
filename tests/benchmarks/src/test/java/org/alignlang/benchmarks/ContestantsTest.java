package org.alignlang.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is timed side by side computes the same. */
class ContestantsTest {
  @Test
  void agreeOnHiddenStates() {
    LinearWorkload workload = new LinearWorkload(9, 40, 37);
    Contestant chunks = workload.inChunks(Workers.serial());
    chunks.step();
    chunks.step();
    assertThat(chunks.loss()).isFinite();
    assertThat(chunks.gradients()).containsOnlyKeys("hidden", "head");
    if (LibtorchContestant.isAvailable()) {
      Contestant peer = workload.libtorch();
      peer.step();
      assertThat(chunks.loss()).isCloseTo(peer.loss(), within(1e-5));
      peer.gradients()
          .forEach((input, numbers) ->
              assertThat(chunks.gradients().get(input))
                  .as(input)
                  .containsExactly(numbers, within(5e-6f)));
      peer.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void agree(Workload.Kind kind) {
    Workload workload = Workload.of(kind, new Shape(3, 2, 37));
    List<Contestant> contestants = new ArrayList<>();
    contestants.add(new KernelContestant(workload, BackEnds.VECTOR, Workers.serial()));
    contestants.add(new KernelContestant(workload, BackEnds.JVM, Workers.serial()));
    if (kind == Workload.Kind.POLICY) {
      contestants.add(new PlainContestant(workload, Workers.serial()));
    }
    if (LibtorchContestant.isAvailable()) {
      contestants.add(new LibtorchContestant(workload));
    }
    Contestant reference = new KernelContestant(workload, BackEnds.REFERENCE, Workers.serial());
    reference.step();
    Map<String, float[]> wanted = reference.gradients();
    for (Contestant contestant : contestants) {
      contestant.step();
      assertThat(contestant.loss()).isCloseTo(reference.loss(), within(1e-5));
      Map<String, float[]> found = contestant.gradients();
      assertThat(found.keySet()).isEqualTo(wanted.keySet());
      wanted.forEach((input, numbers) ->
          assertThat(found.get(input)).as(input).containsExactly(numbers, within(2e-6f)));
      contestant.close();
    }
  }
}
