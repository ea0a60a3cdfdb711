package org.alignlang.compiler.codegen.api;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.codegen.JavaText;

/** Names in generated classes that would be taken for something else. */
final class ApiNames {
  /** Methods that every class has, those of records, and what Kotlin has for every value. */
  private static final List<String> MEMBERS =
      List.of(
          "clone",
          "equals",
          "finalize",
          "getClass",
          "hashCode",
          "notify",
          "notifyAll",
          "toString",
          "wait",
          "let",
          "run",
          "apply",
          "also",
          "with",
          "to",
          "takeIf",
          "takeUnless",
          "values",
          "defaults",
          "initial",
          "build");

  /** What an objective's class cannot be called: its own parts, and what it refers to. */
  private static final List<String> TYPES =
      List.of(
          "Argument",
          "Arguments",
          "Batch",
          "Builder",
          "Column",
          "Double",
          "Evaluation",
          "EvaluationException",
          "Gradients",
          "IllegalArgumentException",
          "Inputs",
          "List",
          "Metrics",
          "Multipliers",
          "NullMarked",
          "Object",
          "ObjectiveKernel",
          "Override",
          "ParameterValues",
          "Parameters",
          "Record",
          "Result",
          "Signature",
          "String",
          "Terms",
          "Violations",
          "Workers");

  private ApiNames() {}

  /** Names that no member may have. */
  static Set<String> members() {
    return new HashSet<>(MEMBERS);
  }

  /** The name of an objective's class. */
  static String type(String objective) {
    return JavaText.unique(JavaText.type(objective), new HashSet<>(TYPES));
  }
}
