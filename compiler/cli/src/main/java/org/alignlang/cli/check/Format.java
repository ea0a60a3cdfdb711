package org.alignlang.cli.check;

import org.alignlang.compiler.diagnostic.DiagnosticRenderer;
import org.alignlang.compiler.diagnostic.FullRenderer;
import org.alignlang.compiler.diagnostic.GithubRenderer;
import org.alignlang.compiler.diagnostic.MavenRenderer;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.compiler.diagnostic.ShortRenderer;

/** The forms in which findings are shown. */
public enum Format {
  /** With the source, for people. */
  FULL,
  /** A line each, for people and editors. */
  SHORT,
  /** A JSON object on a line each, for programs. */
  JSON,
  /** One SARIF 2.1.0 log, for code scanning. */
  SARIF,
  /** Workflow commands, for annotations on GitHub. */
  GITHUB,
  /** Lines in the form of Maven's own for javac, for build logs and editors. */
  MAVEN;

  /** What shows findings in this form. */
  public DiagnosticRenderer renderer(Palette palette) {
    return switch (this) {
      case FULL -> new FullRenderer(palette);
      case SHORT -> new ShortRenderer(palette);
      case JSON -> new JsonRenderer();
      case SARIF -> new SarifRenderer();
      case GITHUB -> new GithubRenderer();
      case MAVEN -> new MavenRenderer();
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
