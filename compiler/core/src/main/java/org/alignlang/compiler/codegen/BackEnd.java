package org.alignlang.compiler.codegen;

import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.kernel.ObjectiveKernel;

/** Lowers a checked objective to a kernel that can be run. Stateless and thread-safe. */
public interface BackEnd {

  /** The name by which a user asks for it, such as {@code jvm}. */
  String name();

  /** The objective as a kernel. */
  ObjectiveKernel kernel(CheckedObjective objective);
}
