package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.plan.Site.Scope;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a kernel that is being written, with the values that have a name in it: what is
 * common to the batch, to a row, to a token, or the body of a loop.
 */
final class Frame {
  private final @Nullable Frame outer;
  private final Scope scope;
  private final String index;
  private final Set<String> taken;
  private final CodeBlock.Builder code = CodeBlock.builder();
  private final Map<Node, Value> values = new HashMap<>();
  private final Map<Node, Value> exponentials = new HashMap<>();
  private final Map<String, String> locals = new HashMap<>();
  private final boolean repeated;
  private String comment = "";

  private Frame(
      @Nullable Frame outer, Scope scope, String index, Set<String> taken, boolean repeated) {
    this.outer = outer;
    this.scope = scope;
    this.index = index;
    this.taken = taken;
    this.repeated = repeated;
  }

  /** The beginning of a kernel. */
  static Frame kernel(Set<String> taken) {
    return new Frame(null, Scope.BATCH, "", taken, false);
  }

  /** The body of a loop, or what one group of threads does, inside this frame. */
  Frame inner(Scope innerScope, String innerIndex) {
    return new Frame(this, innerScope, innerIndex, taken, repeated);
  }

  /** An inner frame that does once more what another does; its comments would say it again. */
  Frame again(Scope innerScope, String innerIndex) {
    return new Frame(this, innerScope, innerIndex, taken, true);
  }

  Scope scope() {
    return scope;
  }

  /** The name of the index of what the frame goes over. */
  String index() {
    return index;
  }

  /** The names that are taken in the kernel. */
  Set<String> taken() {
    return taken;
  }

  CodeBlock.Builder code() {
    return code;
  }

  Map<Node, Value> values() {
    return values;
  }

  /** Exponentials that are computed here, by what they are of. */
  Map<Node, Value> exponentials() {
    return exponentials;
  }

  /** Names of other things that are computed here. */
  Map<String, String> locals() {
    return locals;
  }

  /** Writes a comment unless it is the one above. */
  void comment(String text) {
    if (!repeated && !text.isEmpty() && !text.equals(comment)) {
      code.add("// $L\n", text);
      comment = text;
    }
  }

  /** The frame of a scope around (or at) this one. */
  Frame at(Scope wanted) {
    if (scope == wanted || outer == null) {
      return this;
    }
    return scope.compareTo(wanted) > 0 ? outer.at(wanted) : this;
  }

  /** The beginning of the kernel. */
  Frame start() {
    return outer == null ? this : outer.start();
  }

  /** What a value is called here or in a frame around this one. */
  Optional<Value> find(Node node) {
    Value value = values.get(node);
    if (value != null) {
      return Optional.of(value);
    }
    return outer == null ? Optional.empty() : outer.find(node);
  }
}
