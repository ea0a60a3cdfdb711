package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.tornado.DeviceMath;

/**
 * What the threads of a group have found, each for its share of a loop, put together: by halves, in
 * an order that depends on nothing but the number of threads, through memory that they share.
 */
final class Tree {
  private final List<Part> parts = new ArrayList<>();

  /** Numbers of a thread that are put together with each other. */
  private sealed interface Part {
    /** {@code function} is {@code +}, or a method of {@link DeviceMath}. */
    record One(String name, String function) implements Part {}

    /** Sums of weights relative to the largest exponent. */
    record Softmax(String largest, List<String> sums) implements Part {}
  }

  void addSum(String name) {
    parts.add(new Part.One(name, "+"));
  }

  void addLargest(String name) {
    parts.add(new Part.One(name, "larger"));
  }

  void addSmallest(String name) {
    parts.add(new Part.One(name, "smaller"));
  }

  /**
   * Sums of {@code exp(x - largest)}, each times something.
   *
   * @param largest the variable of the largest exponent
   * @param sums the variables of the sums
   */
  void addSoftmax(String largest, List<String> sums) {
    parts.add(new Part.Softmax(largest, List.copyOf(sums)));
  }

  boolean isEmpty() {
    return parts.isEmpty();
  }

  /** How many numbers of each thread are shared. */
  int size() {
    return parts.stream().mapToInt(Tree::size).sum();
  }

  private static int size(Part part) {
    return switch (part) {
      case Part.One _ -> 1;
      case Part.Softmax softmax -> 1 + softmax.sums().size();
    };
  }

  /**
   * The statements after which every thread finds the results at {@link #result}.
   *
   * @param taken the names that are taken in the kernel
   */
  CodeBlock code(Set<String> taken) {
    CodeBlock.Builder first = CodeBlock.builder();
    CodeBlock.Builder tops = CodeBlock.builder();
    CodeBlock.Builder then = CodeBlock.builder();
    CodeBlock.Builder sums = CodeBlock.builder();
    int at = 0;
    for (Part part : parts) {
      switch (part) {
        case Part.One one -> {
          then.addStatement("$L = $L", mine(at), one.name());
          if (one.function().equals("+")) {
            sums.addStatement("$L += $L", mine(at), other(at));
          } else {
            sums.add(chosen(at, one.function()));
          }
        }
        case Part.Softmax softmax -> {
          first.addStatement("$L = $L", mine(at), softmax.largest());
          tops.add(chosen(at, "larger"));
          String scale = JavaText.unique("scale", taken);
          then.addStatement(
              "final double $L = Math.exp($L - $L)", scale, softmax.largest(), result(at));
          int sum = at + 1;
          for (String name : softmax.sums()) {
            // The first is the sum of the weights themselves: finite where the scale is 0, or else
            // NaN.
            if (sum == at + 1) {
              then.addStatement("$L = $L * $L", mine(sum), scale, name);
            } else {
              then.addStatement(
                  "$L = $T.weighted($L, $L)", mine(sum), DeviceMath.class, scale, name);
            }
            sums.addStatement("$L += $L", mine(sum), other(sum));
            sum++;
          }
        }
      }
      at += size(part);
    }
    // All sums are relative to the largest exponent of all threads before they are added.
    CodeBlock.Builder code = CodeBlock.builder();
    if (!first.isEmpty()) {
      code.add(first.build()).add(byHalves(tops.build()));
    }
    return code.add(then.build()).add(byHalves(sums.build())).build();
  }

  private static CodeBlock chosen(int at, String function) {
    return CodeBlock.builder()
        .addStatement(
            "$L = $T.$L($L, $L)", mine(at), DeviceMath.class, function, mine(at), other(at))
        .build();
  }

  private static CodeBlock byHalves(CodeBlock step) {
    return CodeBlock.builder()
        .addStatement("context.localBarrier()")
        .beginControlFlow("for (int half = lanes / 2; half > 0; half /= 2)")
        .beginControlFlow("if (lane < half)")
        .add(step)
        .endControlFlow()
        .addStatement("context.localBarrier()")
        .endControlFlow()
        .build();
  }

  private static String mine(int at) {
    return at == 0 ? "shared[lane]" : "shared[" + from(at) + " + lane]";
  }

  private static String other(int at) {
    return at == 0 ? "shared[lane + half]" : "shared[" + from(at) + " + lane + half]";
  }

  /** Where the {@code at}-th result is. */
  static String result(int at) {
    return at == 0 ? "shared[0]" : "shared[" + from(at) + "]";
  }

  private static String from(int at) {
    return at == 1 ? "lanes" : at + " * lanes";
  }
}
