package org.alignlang.compiler.codegen;

import com.palantir.javapoet.JavaFile;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.jvm.InMemoryCompiler;
import org.alignlang.compiler.codegen.jvm.JvmEmitter;
import org.alignlang.compiler.codegen.single.SingleLoops;
import org.alignlang.kernel.KernelByPrecision;
import org.alignlang.kernel.ObjectiveKernel;

/**
 * Generates Java for an objective, compiles it in memory, and loads it. It needs no module beside
 * the JDK's own. Data in double precision is evaluated in double precision; data in less, in loops
 * over blocks that the just-in-time compiler turns into vector instructions.
 */
public final class JvmBackEnd implements BackEnd {

  @Override
  public String name() {
    return "jvm";
  }

  /** The Java source of an objective's kernel in double precision, in the given package. */
  public static JavaFile source(CheckedObjective objective, String packageName) {
    return JvmEmitter.emit(objective, packageName);
  }

  /** The Java source of an objective's kernel for data in single precision or less. */
  public static JavaFile singleSource(CheckedObjective objective, String packageName) {
    return JvmEmitter.emit(objective, packageName, SingleLoops.blocks());
  }

  @Override
  public ObjectiveKernel kernel(CheckedObjective objective) {
    return new KernelByPrecision(
        objective.signature(),
        () -> load(singleSource(objective, "")),
        () -> load(source(objective, "")));
  }

  /**
   * Compiles and loads the source of a kernel.
   *
   * @param modules modules of the JDK that it needs and that are not there by default
   */
  public static ObjectiveKernel load(JavaFile file, String... modules) {
    Class<?> type = InMemoryCompiler.load(file.typeSpec().name(), file.toString(), modules);
    try {
      return (ObjectiveKernel) type.getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the generated class " + type + " cannot be used", e);
    }
  }
}
