package org.alignlang.cli;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.compiler.diagnostic.Suggestions;

/** The back end that a user asks for by name. */
public final class BackEndChoice {
  private BackEndChoice() {}

  /**
   * The back end of a name, or the standard one.
   *
   * @throws UserError if there is none such, or it cannot run here
   */
  public static BackEnd of(Optional<String> name) {
    return name.map(BackEndChoice::named).orElseGet(BackEnds::standard);
  }

  private static BackEnd named(String name) {
    Optional<BackEnd> found = BackEnds.find(name);
    if (found.isPresent()) {
      return found.get();
    }
    if (name.equals(BackEnds.TORNADO.name())) {
      throw new UserError("there is no device to run on: " + TornadoBackEnd.problem());
    }
    List<String> known =
        Stream.concat(BackEnds.all().stream(), Stream.of(BackEnds.TORNADO))
            .map(BackEnd::name)
            .toList();
    throw new UserError(
        "there is no back end `%s`; %s"
            .formatted(
                name,
                Suggestions.nearest(name, known)
                    .map(near -> "did you mean `" + near + "`?")
                    .orElse("this build has " + String.join(", ", known))));
  }
}
