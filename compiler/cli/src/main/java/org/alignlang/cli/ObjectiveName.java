package org.alignlang.cli;

import java.util.Optional;

/**
 * The argument {@code FILE#OBJECTIVE}.
 *
 * @param file the spec
 * @param objective the objective, where it was named
 */
public record ObjectiveName(String file, Optional<String> objective) {

  /** Reads an argument; a file whose name holds {@code #} is found as it is if it exists. */
  public static ObjectiveName parse(String argument) {
    int hash = argument.lastIndexOf('#');
    if (hash < 0 || java.nio.file.Files.exists(Specs.path(argument))) {
      return new ObjectiveName(argument, Optional.empty());
    }
    String name = argument.substring(hash + 1);
    if (name.isEmpty()) {
      throw new UserError("`" + argument + "` names no objective after `#`");
    }
    return new ObjectiveName(argument.substring(0, hash), Optional.of(name));
  }
}
