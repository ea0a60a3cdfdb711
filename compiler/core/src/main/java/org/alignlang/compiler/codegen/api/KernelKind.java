package org.alignlang.compiler.codegen.api;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Which kernels stand behind a generated class. */
public enum KernelKind {
  /** One in double precision; columns of less are widened once for each batch. */
  JVM("", false),
  /**
   * Beside that one another for data in single precision or less, in loops that the just-in-time
   * compiler turns into vector instructions.
   */
  BLOCKS("SingleKernel", false),
  /**
   * The other goes through the Vector API. It is compiled against the module {@code
   * jdk.incubator.vector}, and used where Java was started with it.
   */
  VECTOR("VectorKernel", true);

  private final String suffix;
  private final boolean needsModule;

  KernelKind(String suffix, boolean needsModule) {
    this.suffix = suffix;
    this.needsModule = needsModule;
  }

  /** Whether there is a kernel for single precision. */
  boolean isSingle() {
    return !suffix.isEmpty();
  }

  /** What the name of the kernel for single precision ends in. */
  String suffix() {
    return suffix;
  }

  /** Whether the kernel for single precision can be loaded only where a module is. */
  boolean needsModule() {
    return needsModule;
  }

  /** The kind of a name, such as {@code vector}. */
  public static Optional<KernelKind> of(String name) {
    return Arrays.stream(values()).filter(k -> k.word().equals(name)).findFirst();
  }

  /** All names. */
  public static List<String> words() {
    return Arrays.stream(values()).map(KernelKind::word).toList();
  }

  /** Its name. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
