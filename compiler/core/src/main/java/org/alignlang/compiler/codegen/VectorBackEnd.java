package org.alignlang.compiler.codegen;

import com.palantir.javapoet.JavaFile;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.jvm.JvmEmitter;
import org.alignlang.compiler.codegen.single.SingleLoops;
import org.alignlang.kernel.KernelByPrecision;
import org.alignlang.kernel.ObjectiveKernel;

/**
 * Generates Java that uses the vector units of the processor, compiles it in memory, and loads it.
 * Data in double precision is evaluated by the loops of the back end {@code jvm}.
 */
public final class VectorBackEnd implements BackEnd {
  private static final String MODULE = "jdk.incubator.vector";

  @Override
  public String name() {
    return "vector";
  }

  /** Whether this Java was started with the module that the kernels need. */
  public static boolean isAvailable() {
    return KernelByPrecision.hasVectors();
  }

  /** The Java source of an objective's kernel for data in single precision or less. */
  public static JavaFile source(CheckedObjective objective, String packageName) {
    return JvmEmitter.emit(objective, packageName, SingleLoops.vectors());
  }

  @Override
  public ObjectiveKernel kernel(CheckedObjective objective) {
    return new KernelByPrecision(
        objective.signature(),
        () -> JvmBackEnd.load(source(objective, ""), MODULE),
        () -> JvmBackEnd.load(JvmBackEnd.source(objective, "")));
  }
}
