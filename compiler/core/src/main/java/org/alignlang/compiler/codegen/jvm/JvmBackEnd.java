package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.JavaFile;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.kernel.ObjectiveKernel;

/** Generates Java for an objective, compiles it in memory, and loads it. */
public final class JvmBackEnd implements BackEnd {

  @Override
  public String name() {
    return "jvm";
  }

  /** The Java source of an objective's kernel, in the given package. */
  public static JavaFile source(CheckedObjective objective, String packageName) {
    return JvmEmitter.emit(objective, packageName);
  }

  @Override
  public ObjectiveKernel kernel(CheckedObjective objective) {
    return load(source(objective, ""));
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
