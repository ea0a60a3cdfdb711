package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.Optional;
import java.util.TreeMap;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Site;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Signature;

/**
 * How a back end that generates Java writes the innermost loops, where the time goes: over tokens
 * and over the vocabulary. Everything else is common to all of them.
 */
public interface InnerLoops {
  /** The type of a column that is read through a row buffer. */
  TypeName COLUMN = ClassName.get(Column.class);

  /** Plain loops in double precision. */
  InnerLoops PLAIN = new InnerLoops() {};

  /** Gives the loops what is common, before anything is written. */
  default void begin(
      Plan plan, ClassName kernel, WorkspaceFields fields, ValueNames names, ValueEmitter values) {}

  /**
   * How a column is kept in the workspace: {@code double[]}, {@code float[]} or {@link #COLUMN}.
   */
  default TypeName columnType(Signature.Input input) {
    return WorkspaceFields.DOUBLES;
  }

  /** Whether gradients are written in single precision. */
  default boolean singleGradients() {
    return false;
  }

  /** Whether the loops over the tokens of a sequence are written here, in single precision. */
  default boolean singleTokens(String owner) {
    return false;
  }

  /** The class of the room that a thread borrows while it works on rows, if there is one. */
  default Optional<ClassName> scratch() {
    return Optional.empty();
  }

  /** The entry of a {@link #COLUMN} at the index of a frame. */
  default Term entry(Signature.Input input, Frame frame) {
    throw new IllegalStateException("no column of rows: " + input);
  }

  /** The row of a {@link #COLUMN} at a token: an array and where the row begins. */
  default CodeBlock wholeRow(Signature.Input input, Frame token) {
    throw new IllegalStateException("no column of rows: " + input);
  }

  /** The entry of the gradient for logits at the index of a frame, to be written. */
  default CodeBlock gradientEntry(String input, Frame frame) {
    throw new IllegalStateException("no rows of gradients: " + input);
  }

  /** Writes a loop over the tokens of a row, if {@link #singleTokens} says so. */
  default MethodSpec tokens(String name, String owner, TreeMap<Site, Plan.Block> sites) {
    throw new IllegalStateException("no loops over the tokens of " + owner);
  }

  /** Writes a loop over the vocabulary into the frame of a token, or says that it does not. */
  default boolean vocabulary(Site site, Plan.Block block, Frame token) {
    return false;
  }

  /** Adds what the loops need to the kernel's class and to its workspace. */
  default void declare(TypeSpec.Builder kernel, TypeSpec.Builder workspace) {}
}
