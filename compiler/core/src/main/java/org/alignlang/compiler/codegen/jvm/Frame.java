package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.CodeBlock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.plan.Site.Scope;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a method that is being written: the method's beginning, or the body of a loop. What
 * an inner loop needs and does not change is written into the frame where it is constant.
 */
public final class Frame {
  private final @Nullable Frame outer;
  private final Scope scope;
  private final String index;
  private final Set<String> taken;
  private final CodeBlock.Builder code = CodeBlock.builder();
  private final Map<Node, Term> terms = new HashMap<>();
  private final Map<String, String> arrays = new HashMap<>();
  private final Map<Node, String> exponentials = new HashMap<>();
  private String comment = "";

  private Frame(@Nullable Frame outer, Scope scope, String index, Set<String> taken) {
    this.outer = outer;
    this.scope = scope;
    this.index = index;
    this.taken = taken;
  }

  /** The beginning of a method. */
  public static Frame method(Set<String> taken) {
    return new Frame(null, Scope.BATCH, "", taken);
  }

  /** The body of a loop, or of one iteration, inside this frame. */
  public Frame inner(Scope innerScope, String innerIndex) {
    return new Frame(this, innerScope, innerIndex, taken);
  }

  public Scope scope() {
    return scope;
  }

  /** The loop's index, as Java source. */
  public String index() {
    return index;
  }

  /** The names that are taken in the method. */
  public Set<String> taken() {
    return taken;
  }

  public CodeBlock.Builder code() {
    return code;
  }

  public Map<Node, Term> terms() {
    return terms;
  }

  /** Names of exponentials that are computed here, by what they are of. */
  Map<Node, String> exponentials() {
    return exponentials;
  }

  Map<String, String> arrays() {
    return arrays;
  }

  /** Writes a comment unless it is the one above. */
  public void comment(String text) {
    if (!text.isEmpty() && !text.equals(comment)) {
      code.add("// $L\n", text);
      comment = text;
    }
  }

  /** The frame of a scope around (or at) this one. */
  public Frame at(Scope wanted) {
    if (scope == wanted || outer == null) {
      return this;
    }
    return scope.compareTo(wanted) > 0 ? outer.at(wanted) : this;
  }

  /** The beginning of the method. */
  public Frame start() {
    return outer == null ? this : outer.start();
  }

  /** What a node is called here or in a frame around this one. */
  Optional<Term> find(Node node) {
    Term term = terms.get(node);
    if (term != null) {
      return Optional.of(term);
    }
    return outer == null ? Optional.empty() : outer.find(node);
  }
}
