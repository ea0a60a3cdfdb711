package org.alignlang.runtime.batch;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A tensor that an objective reads, as the contract has it.
 *
 * @param name its contract name
 * @param content what it holds
 * @param axes its shape; empty for a single number
 * @param required whether a batch must have it
 */
record Expected(String name, Content content, List<Axis> axes, boolean required) {

  /** What a tensor holds, and so which element types and values it may have. */
  enum Content {
    LOG_PROBABILITY("log-probabilities", reals()),
    LOGITS("logits", reals()),
    COLUMN("numbers", reals()),
    MULTIPLIER("multipliers", reals()),
    TOKENS("tokens", List.of(ElementType.I32, ElementType.I64)),
    GROUP("group ids", List.of(ElementType.I32, ElementType.I64)),
    LABEL("labels", List.of(ElementType.BOOL, ElementType.U8)),
    MASK("a mask", List.of(ElementType.U8, ElementType.BOOL, ElementType.I32, ElementType.I64));

    private final String words;
    private final List<ElementType> types;

    Content(String words, List<ElementType> types) {
      this.words = words;
      this.types = types;
    }

    /** What it is called in messages. */
    String words() {
      return words;
    }

    List<ElementType> types() {
      return types;
    }

    /** Whether a tensor may have the type; a file whose numbers have none may use any that fits. */
    boolean accepts(ElementType type, boolean typed) {
      if (typed) {
        return types.contains(type);
      }
      return switch (this) {
        case LABEL, MASK -> true;
        case LOG_PROBABILITY, LOGITS, COLUMN, MULTIPLIER, TOKENS, GROUP -> type != ElementType.BOOL;
      };
    }

    private static List<ElementType> reals() {
      return List.of(ElementType.F32, ElementType.BF16, ElementType.F16, ElementType.F64);
    }
  }

  /**
   * One axis of a shape: axes with the same key have the same size.
   *
   * @param letter how it is written in a shape, such as {@code T}; a number for a fixed size
   * @param key the letter, and the sequence where each has its own
   */
  record Axis(String letter, String key) {
    static final Axis ROWS = new Axis("N", "N");
    static final Axis VOCABULARY = new Axis("V", "V");
    static final Axis GROUPS = new Axis("G", "G");

    /** The positions of a sequence. */
    static Axis positions(String sequence) {
      return new Axis("T", "T of " + sequence);
    }

    static Axis fixed(int size) {
      return new Axis(String.valueOf(size), "");
    }

    boolean hasFixedSize() {
      return key.isEmpty();
    }
  }

  /** The shape in letters, such as {@code [N, T]}. */
  String letters() {
    return axes.stream().map(Axis::letter).collect(Collectors.joining(", ", "[", "]"));
  }

  /** The types in words, such as {@code i32 or i64}. */
  String typeWords() {
    List<String> words = content.types().stream().map(ElementType::word).toList();
    return String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.getLast();
  }
}
