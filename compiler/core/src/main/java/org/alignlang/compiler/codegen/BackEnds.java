package org.alignlang.compiler.codegen;

import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.kernel.ObjectiveKernel;

/** The back ends that this build has. */
public final class BackEnds {
  /** The interpreter in double precision that the others are held against. */
  public static final BackEnd REFERENCE =
      new BackEnd() {
        @Override
        public String name() {
          return "reference";
        }

        @Override
        public ObjectiveKernel kernel(CheckedObjective objective) {
          return new InterpretedKernel(objective.program());
        }
      };

  /** Generated Java, compiled in memory. */
  public static final BackEnd JVM = new JvmBackEnd();

  /**
   * Generated Java for the vector units of the processor; see {@link VectorBackEnd#isAvailable}.
   */
  public static final BackEnd VECTOR = new VectorBackEnd();

  /**
   * Generated kernels for a GPU or another device; see {@link TornadoBackEnd#problem}. It is used
   * only where it is asked for: which device pays is the user's knowledge.
   */
  public static final BackEnd TORNADO = new TornadoBackEnd();

  private BackEnds() {}

  /** All back ends that run on the processor here, the fastest first. */
  public static List<BackEnd> all() {
    return VectorBackEnd.isAvailable() ? List.of(VECTOR, JVM, REFERENCE) : List.of(JVM, REFERENCE);
  }

  /** The back end used unless the user asks for another. */
  public static BackEnd standard() {
    return all().getFirst();
  }

  /** The back end of this name, if it can run here. */
  public static Optional<BackEnd> find(String name) {
    if (name.equals(TORNADO.name())) {
      return TornadoBackEnd.problem().isEmpty() ? Optional.of(TORNADO) : Optional.empty();
    }
    return all().stream().filter(b -> b.name().equals(name)).findFirst();
  }
}
