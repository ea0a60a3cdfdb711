package org.alignlang.compiler.driver;

import org.alignlang.compiler.source.SourceResolver;

/**
 * How to compile. Immutable; one value may be used by many threads.
 *
 * @param resolver where imports by path are found
 * @param simplify whether graphs are simplified; off only to compare
 */
public record CompilerOptions(SourceResolver resolver, boolean simplify) {

  /** Simplification on, no files to import. */
  public static CompilerOptions defaults() {
    return new CompilerOptions(SourceResolver.none(), true);
  }

  public CompilerOptions withResolver(SourceResolver changed) {
    return new CompilerOptions(changed, simplify);
  }
}
