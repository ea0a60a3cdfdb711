package org.alignlang.compiler.driver;

import org.alignlang.compiler.source.SourceResolver;

/**
 * How to compile. Immutable; one value may be used by many threads.
 *
 * @param resolver where imports by path are found
 * @param simplify whether graphs are simplified; off only to compare
 * @param pedantic whether findings are reported that are often no mistakes
 */
public record CompilerOptions(SourceResolver resolver, boolean simplify, boolean pedantic) {

  /** Simplification on, no pedantic findings, no files to import. */
  public static CompilerOptions defaults() {
    return new CompilerOptions(SourceResolver.none(), true, false);
  }

  public CompilerOptions withResolver(SourceResolver changed) {
    return new CompilerOptions(changed, simplify, pedantic);
  }

  public CompilerOptions withPedantic(boolean changed) {
    return new CompilerOptions(resolver, simplify, changed);
  }
}
