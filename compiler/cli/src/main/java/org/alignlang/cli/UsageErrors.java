package org.alignlang.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.diagnostic.Suggestions;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what is wrong with a command line, and what was probably meant. */
final class UsageErrors {
  private UsageErrors() {}

  /** No command was given, so that the user is shown what there is. */
  static final class MissingCommand extends ParameterException {
    private static final long serialVersionUID = 1L;

    MissingCommand(CommandLine line) {
      super(line, "Missing command");
    }
  }

  /** Tells the user and returns the exit code. */
  static int handle(ParameterException problem) {
    CommandLine line = problem.getCommandLine();
    Output output = Output.of(line);
    if (problem instanceof MissingCommand) {
      line.usage(output.err(), line.getHelp().ansi());
      output.err().println();
      output.error(String.valueOf(problem.getMessage()));
      return ExitCode.USAGE;
    }
    output.error(sentence(problem));
    output.note("`" + line.getCommandSpec().qualifiedName() + " --help` lists what there is.");
    return ExitCode.USAGE;
  }

  private static String sentence(ParameterException problem) {
    return switch (problem) {
      case UnmatchedArgumentException unmatched when !unmatched.getUnmatched().isEmpty() ->
          unmatched(unmatched.getUnmatched().getFirst(), problem.getCommandLine().getCommandSpec());
      case MissingParameterException missing
          when missing.getMissing().size() == 1
              && missing.getMissing().getFirst() instanceof OptionSpec option
              && !option.required() ->
          "`" + option.longestName() + "` needs a value";
      case MissingParameterException missing ->
          "missing "
              + String.join(
                  " and ",
                  missing.getMissing().stream().map(a -> "`" + name(a) + "`").distinct().toList());
      case ParameterException wrong
          when wrong.getCause() instanceof TypeConversionException cause
              && wrong.getArgSpec() != null ->
          "`" + name(wrong.getArgSpec()) + "`: " + inWords(cause);
      default -> String.valueOf(problem.getMessage());
    };
  }

  /** The library names Java's types, which are no concern of a user's. */
  private static String inWords(TypeConversionException cause) {
    return String.valueOf(cause.getMessage())
        .replaceFirst("is not an? (int|long)$", "is not a whole number, or is too large");
  }

  private static String unmatched(String argument, CommandSpec command) {
    int value = argument.indexOf('=');
    String wrong = value < 0 ? argument : argument.substring(0, value);
    List<String> known = new ArrayList<>();
    String what;
    if (wrong.startsWith("-")) {
      what = "there is no option `" + wrong + "`";
      // One letter is near to every other.
      command.optionsMap().keySet().stream().filter(o -> o.length() > 2).forEach(known::add);
    } else if (!command.subcommands().isEmpty()) {
      what = "there is no command `" + wrong + "`";
      known.addAll(command.subcommands().keySet());
    } else {
      what = "`" + argument + "` is one argument too many";
    }
    Optional<String> nearest = Suggestions.nearest(wrong, known);
    return what + nearest.map(n -> "; did you mean `" + n + "`?").orElse("");
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }
}
