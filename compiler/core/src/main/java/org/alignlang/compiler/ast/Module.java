package org.alignlang.compiler.ast;

import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/** One file: its imports and declarations in the order written. */
public record Module(SourceFile source, List<Import> imports, List<Declaration> declarations) {

  public Module {
    imports = List.copyOf(imports);
    declarations = List.copyOf(declarations);
  }

  /**
   * {@code import align.losses.dpo} or {@code import "file.align"}.
   *
   * @param path the dotted path or the text
   * @param local whether it was written as text, and so names a file beside this one
   */
  public record Import(Span span, String path, boolean local, Optional<String> alias) {}
}
