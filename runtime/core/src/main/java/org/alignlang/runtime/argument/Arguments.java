package org.alignlang.runtime.argument;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;

/**
 * The arguments that a spec gives a component, such as {@code bandit(arms = 64)}. Each is read once
 * by name with its default and its bounds; {@link #requireAllRead} then refuses those that nobody
 * asked for, so that no argument is accepted and ignored.
 *
 * <p>Every complaint is an {@link IllegalArgumentException} that names the component, the argument,
 * what was given and what is allowed.
 */
public final class Arguments {
  private final String component;
  private final Map<String, Object> given;
  private final boolean toBeJudged;
  private final TreeSet<String> read = new TreeSet<>();

  private Arguments(String component, Map<String, Object> given, boolean toBeJudged) {
    this.component = component;
    this.given = Map.copyOf(given);
    this.toBeJudged = toBeJudged;
  }

  /** All arguments were read and are good, where that is all that was asked. */
  public static final class Judged extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Judged() {
      super("judged", null, false, false);
    }
  }

  /**
   * Wraps the arguments of one component.
   *
   * @param kind what it is, such as {@code task}
   * @param name its name, such as {@code bandit}
   * @param given values of type Number, Boolean, String, List, or {@link Component}
   */
  public static Arguments of(String kind, String name, Map<String, Object> given) {
    return new Arguments(kind + " `" + name + "`", given, false);
  }

  /**
   * The same for arguments that are to be judged alone: {@link #requireAllRead} throws {@link
   * Judged} where they are good, so that nothing is computed with them.
   */
  public static Arguments toBeJudged(String kind, String name, Map<String, Object> given) {
    return new Arguments(kind + " `" + name + "`", given, true);
  }

  /** Whether the spec gives this argument. */
  public boolean has(String name) {
    read.add(name);
    return given.containsKey(name);
  }

  /** A whole number from {@code least} to {@code most}. */
  public int integer(String name, int otherwise, int least, int most) {
    return find(name).map(value -> asInteger(name, value, least, most)).orElse(otherwise);
  }

  /** A number from {@code least} to {@code most}, both allowed. */
  public double real(String name, double otherwise, double least, double most) {
    return find(name).map(value -> asReal(name, value, least, most)).orElse(otherwise);
  }

  /** A number above {@code bound}; it must be finite. */
  public double above(String name, double otherwise, double bound) {
    return find(name)
        .map(value -> {
          double number = asReal(name, value, bound, Double.MAX_VALUE);
          if (number <= bound) {
            throw wrong(name, "a number above " + show(bound), value);
          }
          return number;
        })
        .orElse(otherwise);
  }

  /** {@code true} or {@code false}. */
  public boolean flag(String name, boolean otherwise) {
    return find(name)
        .map(value -> {
          if (value instanceof Boolean flag) {
            return flag;
          }
          throw wrong(name, "true or false", value);
        })
        .orElse(otherwise);
  }

  /** A text. */
  public Optional<String> text(String name) {
    return find(name)
        .map(value -> {
          if (value instanceof String text) {
            return text;
          }
          throw wrong(name, "a text in quotes", value);
        });
  }

  /** One of a few words. */
  public Optional<String> word(String name, List<String> allowed) {
    Optional<String> word = text(name);
    word.filter(w -> !allowed.contains(w))
        .ifPresent(w -> {
          throw wrong(name, "one of " + Names.quoted(allowed), w);
        });
    return word;
  }

  /** A list of texts; a single text is a list of one. */
  public Optional<List<String>> texts(String name) {
    return find(name)
        .map(value ->
            asList(value).stream()
                .map(entry -> {
                  if (entry instanceof String text) {
                    return text;
                  }
                  throw wrong(name, "texts in quotes", entry);
                })
                .toList());
  }

  /** A list of whole numbers; a single number is a list of one. */
  public Optional<int[]> integers(String name, int least, int most) {
    return find(name)
        .map(value ->
            asList(value).stream()
                .mapToInt(entry -> asInteger(name, entry, least, most))
                .toArray());
  }

  /** A list of numbers; a single number is a list of one. */
  public Optional<double[]> reals(String name, double least, double most) {
    return find(name)
        .map(value ->
            asList(value).stream()
                .mapToDouble(entry -> asReal(name, entry, least, most))
                .toArray());
  }

  /** A value as it was given, for arguments that may be a number or a component. */
  public Optional<Object> value(String name) {
    return find(name);
  }

  /**
   * Refuses arguments that were given but never read.
   *
   * @throws IllegalArgumentException naming the first of them, with the nearest known name
   * @throws Judged where there are none and that is all that was asked
   */
  public void requireAllRead() {
    for (String name : new TreeSet<>(given.keySet())) {
      if (!read.contains(name)) {
        throw new IllegalArgumentException(
            "%s has no argument `%s`%s; %s"
                .formatted(
                    component,
                    name,
                    Names.suggestion(name, read),
                    read.isEmpty() ? "it takes none" : "known: " + Names.quoted(read)));
      }
    }
    if (toBeJudged) {
      throw new Judged();
    }
  }

  /** The exception for a value that does not fit, for bounds that these methods do not know. */
  public IllegalArgumentException wrong(String name, String expected, Object value) {
    return new IllegalArgumentException(
        "argument `%s` of %s must be %s, not %s".formatted(name, component, expected, show(value)));
  }

  /** The exception for an argument that must be given. */
  public IllegalArgumentException missing(String name, String expected) {
    return new IllegalArgumentException(
        "%s needs the argument `%s`: %s".formatted(component, name, expected));
  }

  private Optional<Object> find(String name) {
    read.add(name);
    return Optional.ofNullable(given.get(name));
  }

  private static List<?> asList(Object value) {
    return value instanceof List<?> list ? list : List.of(value);
  }

  private int asInteger(String name, Object value, int least, int most) {
    if (value instanceof Number number) {
      double real = number.doubleValue();
      if (real == Math.rint(real) && real >= least && real <= most) {
        return (int) real;
      }
    }
    throw wrong(
        name,
        most == Integer.MAX_VALUE
            ? "a whole number of at least " + least
            : "a whole number from " + least + " to " + most,
        value);
  }

  private double asReal(String name, Object value, double least, double most) {
    if (value instanceof Number number) {
      double real = number.doubleValue();
      if (real >= least && real <= most) {
        return real;
      }
    }
    throw wrong(name, range(least, most), value);
  }

  private static String range(double least, double most) {
    boolean below = least <= -Double.MAX_VALUE;
    boolean open = most >= Double.MAX_VALUE;
    if (below && open) {
      return "a number";
    }
    if (open) {
      return "a number of at least " + show(least);
    }
    return below
        ? "a number of at most " + show(most)
        : "a number from " + show(least) + " to " + show(most);
  }

  private static String show(Object value) {
    return switch (value) {
      case Double number when number == Math.rint(number) && Math.abs(number) < 1e15 ->
          String.format(Locale.ROOT, "%.0f", number);
      case String text -> "\"" + text + "\"";
      case List<?> list ->
          "[" + String.join(", ", list.stream().map(Arguments::show).toList()) + "]";
      case Component call -> call.name() + "(...)";
      default -> String.valueOf(value);
    };
  }
}
