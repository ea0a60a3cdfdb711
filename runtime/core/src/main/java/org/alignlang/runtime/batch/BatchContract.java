package org.alignlang.runtime.batch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.batch.Expected.Axis;
import org.alignlang.runtime.batch.Expected.Content;

/**
 * The tensors that one objective reads, by name, type and shape: what another program must hand in.
 *
 * <p>{@code N} is the number of rows (sequences, or pairs), {@code T} the number of positions of a
 * sequence, padding included, {@code V} the size of the vocabulary, {@code G} the number of groups.
 * Names are {@code [SEQUENCE.][ACTOR.](logp|logits)}, {@code [SEQUENCE.](tokens|mask)}, {@code
 * [SEQUENCE.](reward|feature).NAME}, {@code group}, {@code label} and {@code multiplier.NAME}; the
 * sequence is left out where rows are single sequences, and the actor for the trained policy.
 */
public final class BatchContract {
  /** The entries of a PID multiplier: its value, its integral, the last violation. */
  static final int PID_STATE = 3;

  private final Signature signature;
  private final Map<String, Expected> expected = new LinkedHashMap<>();

  /** The contract of the objective with this signature. */
  public BatchContract(Signature signature) {
    this.signature = signature;
    signature
        .inputs()
        .forEach(input -> {
          boolean required = signature.stateOf(input).isEmpty();
          add(input.name(), content(input), axes(input), required);
        });
    for (String sequence : signature.sequences()) {
      add(mask(sequence), Content.MASK, List.of(Axis.ROWS, Axis.positions(sequence)), false);
    }
    if (signature.grouped()) {
      add("group", Content.GROUP, List.of(Axis.ROWS), true);
    }
    for (Constraint constraint : signature.constraints()) {
      add(
          multiplier(constraint),
          Content.MULTIPLIER,
          constraint.form() == DualForm.PID ? List.of(Axis.fixed(PID_STATE)) : List.of(),
          false);
    }
  }

  /**
   * The actors of an objective whose logits a batch holds although the objective reads their
   * log-probabilities. Compiled to read their logits instead, the objective takes the softmax
   * itself.
   *
   * @param names the names of the batch's tensors
   */
  public static Set<String> actorsWithLogits(Signature signature, Set<String> names) {
    Set<String> actors = new LinkedHashSet<>();
    for (Input input : signature.inputs()) {
      String logits = swapped(input.name());
      if (input.role() == Role.LOG_PROBABILITY
          && (names.contains(logits) || names.contains(logits.replaceAll("logits$", "hidden")))) {
        actors.add(input.actor());
      }
    }
    return actors;
  }

  /**
   * Packs a file's tensors for a kernel: positions behind a mask are left out and never looked at.
   *
   * @throws BatchException naming the tensor that is missing, not expected, of the wrong type or
   *     shape, or that holds a number it must not, and where
   */
  public PackedBatch pack(TensorFile file, Workers workers) {
    Map<String, HiddenStates> made = new LinkedHashMap<>();
    BatchContract asked = this;
    for (Input input : signature.inputs()) {
      HiddenStates.of(input, file.tensors().keySet())
          .ifPresent(states -> made.put(input.name(), states));
    }
    if (!made.isEmpty()) {
      asked = new BatchContract(signature);
      signature.inputs().stream()
          .filter(input -> made.containsKey(input.name()))
          .forEach(asked.withHiddenStates(made));
    }
    asked.requireNames(file);
    return new BatchPacker(signature, List.copyOf(asked.expected.values()), made, file, workers)
        .pack();
  }

  /** Takes logits off the list, and puts hidden states and heads on it. */
  private Consumer<Input> withHiddenStates(Map<String, HiddenStates> made) {
    return input -> {
      HiddenStates states = Objects.requireNonNull(made.get(input.name()), input.name());
      Axis width = new Axis("H", "H of " + states.head());
      expected.remove(input.name());
      List<Axis> axes = new ArrayList<>(axes(input).subList(0, 2));
      axes.add(width);
      add(states.hidden(), Content.COLUMN, axes, true);
      add(states.head(), Content.COLUMN, List.of(Axis.VOCABULARY, width), true);
    };
  }

  Signature signature() {
    return signature;
  }

  private void requireNames(TensorFile file) {
    Set<String> given = file.tensors().keySet();
    for (String name : given) {
      if (!expected.containsKey(name)) {
        throw new BatchException(
            "%s: objective `%s` does not read tensor `%s`%s"
                .formatted(file.path(), signature.objective(), name, advice(name, given)));
      }
    }
    for (Expected tensor : expected.values()) {
      if (tensor.required() && !given.contains(tensor.name())) {
        throw new BatchException(
            "%s: there is no tensor `%s`, which objective `%s` reads: %s of shape %s, type %s"
                .formatted(
                    file.path(),
                    tensor.name(),
                    signature.objective(),
                    tensor.content().words(),
                    tensor.letters(),
                    tensor.typeWords()));
      }
    }
  }

  private String advice(String name, Set<String> given) {
    String swapped = swapped(name);
    if (expected.containsKey(swapped)) {
      return given.contains(swapped)
          ? ", for it takes `%s` in its place; give one of the two".formatted(swapped)
          : ", for it needs the whole vocabulary: give `%s` in its place".formatted(swapped);
    }
    TreeSet<String> absent = new TreeSet<>(expected.keySet());
    absent.removeAll(given);
    return Names.nearest(name, absent)
        .map(near -> "; did you mean `" + near + "`?")
        .orElse("; it reads `" + String.join("`, `", expected.keySet()) + "`");
  }

  /** The other way to give the same actor: {@code ref.logits} for {@code ref.logp} and back. */
  private static String swapped(String name) {
    int last = name.lastIndexOf('.') + 1;
    return switch (name.substring(last)) {
      case "logp" -> name.substring(0, last) + "logits";
      case "logits" -> name.substring(0, last) + "logp";
      default -> "";
    };
  }

  static String multiplier(Constraint constraint) {
    return "multiplier." + constraint.multiplier();
  }

  private String mask(String sequence) {
    return (signature.sequences().size() > 1 ? sequence + "." : "") + "mask";
  }

  private void add(String name, Content content, List<Axis> axes, boolean required) {
    expected.put(name, new Expected(name, content, axes, required));
  }

  private static Content content(Input input) {
    return switch (input.role()) {
      case LOG_PROBABILITY -> Content.LOG_PROBABILITY;
      case LOGITS -> Content.LOGITS;
      case TOKENS -> Content.TOKENS;
      case COLUMN -> input.name().equals("label") ? Content.LABEL : Content.COLUMN;
      case LEARNED -> Content.COLUMN;
    };
  }

  private static List<Axis> axes(Input input) {
    List<Axis> axes = new ArrayList<>();
    Axis positions = Axis.positions(input.sequence());
    switch (input.level()) {
      case BATCH -> {}
      case GROUP -> axes.add(Axis.GROUPS);
      case PAIR, SEQUENCE -> axes.add(Axis.ROWS);
      case TOKEN -> axes.addAll(List.of(Axis.ROWS, positions));
      case VOCAB -> axes.addAll(List.of(Axis.ROWS, positions, Axis.VOCABULARY));
    }
    if (input.members() > 0) {
      axes.add(Axis.fixed(input.members()));
    }
    return axes;
  }
}
