package org.alignlang.compiler.codegen.tornado;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.ValueNames;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.tornado.DeviceLayout;

/**
 * Where numbers stand in the arrays of a program: each slot of an array holds one number for every
 * element of its level, and has a name in the generated class.
 */
final class Slots {
  private final Signature signature;
  private final ValueNames names;
  private final Map<String, Integer> constants = new LinkedHashMap<>();
  private final Set<String> taken;
  private final Map<String, Integer> sizes = new HashMap<>();
  private final Map<Node, String> values = new LinkedHashMap<>();
  private final Map<Object, String> others = new LinkedHashMap<>();
  private final Map<String, DeviceLayout.Slot> columns = new LinkedHashMap<>();
  private final Map<String, DeviceLayout.Slot> gradients = new LinkedHashMap<>();
  private final List<Double> numbers = new ArrayList<>();

  /**
   * The slots of a plan; its columns have theirs at once.
   *
   * @param taken names that the generated class has for other things
   */
  Slots(Plan plan, ValueNames names, Set<String> taken) {
    signature = plan.program().signature();
    this.names = names;
    this.taken = new HashSet<>(taken);
    Set<String> read = new HashSet<>();
    for (Node node : ObjectiveProgram.reachable(plan.program().outputs())) {
      if (node.operation() instanceof Operation.Input input) {
        read.add(input.input().name());
      }
    }
    for (Signature.Input input : signature.inputs()) {
      boolean column =
          input.role() != Signature.Role.TOKENS
              && input.level() != Level.VOCAB
              && read.contains(input.name());
      if (column) {
        addColumn(input);
      }
    }
  }

  private void addColumn(Signature.Input input) {
    Level level = rows(input.level());
    String sequence = level == Level.TOKEN ? input.sequence() : "";
    int members = Math.max(1, input.members());
    String array = "columns " + level + sequence;
    int slot = sizes.getOrDefault(array, 0);
    sizes.put(array, slot + members);
    columns.put(input.name(), new DeviceLayout.Slot(input.name(), level, sequence, slot, members));
  }

  /** Pairs are rows, too. */
  private static Level rows(Level level) {
    return level == Level.PAIR ? Level.SEQUENCE : level;
  }

  // Names of slots.

  /** The slot of a value, taken when it is first asked for. */
  String value(Node node) {
    String known = values.get(node);
    if (known != null) {
      return known;
    }
    String name = take(scope(node), node.domain().owner(), names.wanted(node));
    values.put(node, name);
    return name;
  }

  /** A slot for something that belongs to a key, at the level of a value. */
  String other(Object key, Scope scope, String owner, String wanted) {
    String known = others.get(key);
    if (known != null) {
      return known;
    }
    String name = take(scope, owner, wanted);
    others.put(key, name);
    return name;
  }

  /** The slot of the gradient of an input that is not logits. */
  String gradient(Signature.Input input) {
    Scope scope = Scope.of(input.level());
    String key = "gradient " + input.name();
    String known = others.get(key);
    if (known != null) {
      return known;
    }
    String wanted = "gradient_" + input.name();
    if (scope != Scope.TOKEN) {
      String name = other(key, scope, "", wanted);
      addGradient(input, "", number(name));
      return name;
    }
    String array = "gradients " + input.sequence();
    int slot = sizes.getOrDefault(array, 0);
    sizes.put(array, slot + 1);
    String name = name(wanted, slot);
    others.put(key, name);
    addGradient(input, input.sequence(), slot);
    return name;
  }

  private void addGradient(Signature.Input input, String sequence, int slot) {
    gradients.put(
        input.name(), new DeviceLayout.Slot(input.name(), rows(input.level()), sequence, slot, 1));
  }

  /** The first slot of a column; among the scalars for one of the batch. */
  String column(Signature.Input input) {
    DeviceLayout.Slot slot = columns.get(input.name());
    if (slot == null) {
      throw new IllegalStateException("not a column that is read: " + input);
    }
    int position =
        slot.level() == Level.BATCH
            ? signature.parameters().size() + signature.constraints().size() + slot.slot()
            : slot.slot();
    return others.computeIfAbsent(
        "column " + input.name(), _ -> name("column_" + input.name(), position));
  }

  /** The position of a parameter or multiplier among the scalars. */
  String scalar(Operation operation) {
    return switch (operation) {
      case Operation.Parameter parameter ->
          others.computeIfAbsent(operation, _ -> name(parameter.name(), parameter.index()));
      case Operation.Multiplier multiplier ->
          others.computeIfAbsent(
              operation,
              _ -> name(multiplier.name(), signature.parameters().size() + multiplier.index()));
      default -> throw new IllegalStateException("no scalar: " + operation);
    };
  }

  /** The position among the scalars of a number that kernels cannot have as a literal. */
  String number(double number) {
    int known = numbers.indexOf(number);
    if (known < 0) {
      known = numbers.size();
      numbers.add(number);
    }
    int position = firstNumber() + known;
    String wanted =
        Double.isNaN(number)
            ? "not_a_number"
            : Double.isInfinite(number) ? (number > 0 ? "infinity" : "minus_infinity") : "number";
    return others.computeIfAbsent("number " + number, _ -> name(wanted, position));
  }

  private int firstNumber() {
    return signature.parameters().size()
        + signature.constraints().size()
        + sizes.getOrDefault("columns " + Level.BATCH, 0);
  }

  // What the layout says.

  /** The names and what they stand for, in the order in which they were taken. */
  Map<String, Integer> constants() {
    return constants;
  }

  /** What a name stands for. */
  int number(String name) {
    Integer number = constants.get(name);
    if (number == null) {
      throw new IllegalStateException("no slot: " + name);
    }
    return number;
  }

  List<DeviceLayout.Slot> columns() {
    return List.copyOf(columns.values());
  }

  List<DeviceLayout.Slot> gradients() {
    return List.copyOf(gradients.values());
  }

  List<Double> numbers() {
    return List.copyOf(numbers);
  }

  /** How many slots the values of a level take. */
  int count(Scope scope, String owner) {
    return sizes.getOrDefault(array(scope, owner), 0);
  }

  private String take(Scope scope, String owner, String wanted) {
    String array = array(scope, owner);
    int slot = sizes.getOrDefault(array, 0);
    sizes.put(array, slot + 1);
    return name(scope.name() + "_" + wanted, slot);
  }

  private static String array(Scope scope, String owner) {
    return scope == Scope.TOKEN ? "values " + owner : "values " + scope;
  }

  private String name(String wanted, int number) {
    String name = JavaText.unique(upper(wanted), taken);
    constants.put(name, number);
    return name;
  }

  /** As Java writes constants: logRatio and log_ratio become LOG_RATIO. */
  private static String upper(String wanted) {
    List<String> words = new ArrayList<>();
    for (String word : wanted.split("_", -1)) {
      String plain = word.equals(word.toUpperCase(Locale.ROOT)) ? word : JavaText.variable(word);
      words.add(plain.replaceAll("(?<=[\\p{Ll}\\d])(?=\\p{Lu})", "_").toUpperCase(Locale.ROOT));
    }
    return String.join("_", words);
  }

  private static Scope scope(Node node) {
    return Scope.of(node.domain().level());
  }
}
