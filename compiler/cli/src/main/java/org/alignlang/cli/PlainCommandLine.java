package org.alignlang.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.alignlang.cli.check.CheckRun;
import org.alignlang.cli.check.Format;
import org.alignlang.cli.eval.EvalRun;
import org.alignlang.cli.format.FormatRun;
import org.jspecify.annotations.Nullable;

/**
 * The commands that people and editors wait for, when they are called in a way that leaves no
 * doubt: a known command, known options, each value behind its option. Everything else (help,
 * abbreviated forms, mistakes) is left to picocli, which takes longer to start than a check takes:
 * its class files are too old for an archive of loaded classes, and it reads the annotations of
 * every command.
 *
 * @param words the command's files and other arguments, in order
 * @param flags the options without a value that were given
 * @param values the values of the other options, in order
 */
record PlainCommandLine(List<String> words, Set<String> flags, Map<String, List<String>> values) {
  private static final String COLOR = "--color";

  /**
   * Runs a command, if it is a plain one.
   *
   * @return its exit code, or empty if nothing was done
   */
  static OptionalInt run(String[] arguments, PrintWriter out, PrintWriter err) {
    if (arguments.length == 0) {
      return OptionalInt.empty();
    }
    Optional<PlainCommandLine> line =
        switch (arguments[0]) {
          case "check" -> parse(arguments, Set.of("--json", "--pedantic"), Set.of("--format"));
          case "fmt" -> parse(arguments, Set.of("--check", "--diff"), Set.of());
          case "eval" ->
              parse(
                  arguments,
                  Set.of("--json"),
                  Set.of("--batch", "--grad", "-s", "--set", "--threads", "--backend", "--device"));
          default -> Optional.empty();
        };
    return line.isPresent() ? line.get().execute(arguments, out, err) : OptionalInt.empty();
  }

  private static Optional<PlainCommandLine> parse(
      String[] arguments, Set<String> flags, Set<String> options) {
    PlainCommandLine line =
        new PlainCommandLine(new ArrayList<>(), new HashSet<>(), new HashMap<>());
    for (int i = 1; i < arguments.length; i++) {
      String argument = arguments[i];
      if (isWord(argument)) {
        line.words.add(argument);
      } else if (flags.contains(argument)) {
        if (!line.flags.add(argument)) {
          return Optional.empty();
        }
      } else {
        int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
        String option = equals < 0 ? argument : argument.substring(0, equals);
        if (!options.contains(option) && !option.equals(COLOR)) {
          return Optional.empty();
        }
        String value = equals < 0 ? "" : argument.substring(equals + 1);
        if (equals < 0 && i + 1 < arguments.length) {
          value = arguments[++i];
        }
        if (value.isEmpty() || !isWord(value)) {
          return Optional.empty();
        }
        line.values.computeIfAbsent(option, _ -> new ArrayList<>()).add(value);
      }
    }
    return line.words.isEmpty() ? Optional.empty() : Optional.of(line);
  }

  /** Whether an argument is neither an option nor the name of a file of arguments. */
  private static boolean isWord(String argument) {
    return argument.equals("-") || !argument.startsWith("-") && !argument.startsWith("@");
  }

  private OptionalInt execute(String[] arguments, PrintWriter out, PrintWriter err) {
    @Nullable Color color = one(COLOR, Color.values(), Color.AUTO);
    if (color == null) {
      return OptionalInt.empty();
    }
    Output output = Output.of(out, err, color);
    try {
      return switch (arguments[0]) {
        case "check" -> check(output);
        case "fmt" ->
            OptionalInt.of(
                new FormatRun(output, flags.contains("--check"), flags.contains("--diff"))
                    .run(words));
        default -> eval(output);
      };
    } catch (Throwable problem) {
      return OptionalInt.of(new Failures(arguments).handle(problem, output));
    }
  }

  private OptionalInt check(Output output) {
    @Nullable Format format = one("--format", Format.values(), Format.FULL);
    if (format == null) {
      return OptionalInt.empty();
    }
    boolean json = flags.contains("--json");
    return OptionalInt.of(
        new CheckRun(output, json ? Format.JSON : format, flags.contains("--pedantic")).run(words));
  }

  private OptionalInt eval(Output output) {
    boolean countable = value("--threads").isEmpty() || threads().isPresent();
    boolean repeated =
        values.entrySet().stream()
            .anyMatch(
                v -> v.getValue().size() > 1 && !Set.of("-s", "--set", COLOR).contains(v.getKey()));
    // Values of both spellings are meant in the order written, which is not kept here.
    boolean mixed =
        (values.containsKey("-s") && values.containsKey("--set"))
            || (values.containsKey("--backend") && values.containsKey("--device"));
    if (words.size() != 1 || value("--batch").isEmpty() || !countable || repeated || mixed) {
      return OptionalInt.empty();
    }
    List<String> settings = new ArrayList<>();
    settings.addAll(values.getOrDefault("-s", List.of()));
    settings.addAll(values.getOrDefault("--set", List.of()));
    new EvalRun(
            ObjectiveName.parse(words.getFirst()),
            Specs.path(value("--batch").get()),
            value("--grad").map(Specs::path),
            ParameterValues.parse(settings),
            threads(),
            value("--backend").or(() -> value("--device")))
        .run(output, flags.contains("--json"));
    return OptionalInt.of(ExitCode.CLEAN);
  }

  private Optional<String> value(String option) {
    return values.getOrDefault(option, List.of()).stream().findFirst();
  }

  /** The number of threads, or empty where none is given or it is not simply a number. */
  private Optional<Integer> threads() {
    return value("--threads")
        .filter(text -> !text.isEmpty() && text.length() <= 6)
        .filter(text -> text.chars().allMatch(c -> c >= '0' && c <= '9'))
        .map(Integer::parseInt);
  }

  /** The constant that an option names, the standard one without it, null where there is doubt. */
  private <E extends Enum<E>> @Nullable E one(String option, E[] constants, E standard) {
    List<String> given = values.getOrDefault(option, List.of());
    if (given.isEmpty()) {
      return standard;
    }
    for (E constant : constants) {
      if (given.size() == 1 && constant.toString().equalsIgnoreCase(given.getFirst())) {
        return constant;
      }
    }
    return null;
  }
}
