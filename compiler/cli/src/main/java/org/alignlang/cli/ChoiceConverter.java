package org.alignlang.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.alignlang.compiler.diagnostic.Suggestions;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads one of a few words, the constants of an enum in lower case. */
final class ChoiceConverter<E extends Enum<E>> implements ITypeConverter<E> {
  private final E[] constants;

  private ChoiceConverter(E[] constants) {
    this.constants = constants;
  }

  static <E extends Enum<E>> ChoiceConverter<E> of(Class<E> type) {
    return new ChoiceConverter<>(type.getEnumConstants());
  }

  @Override
  public E convert(String value) {
    for (E constant : constants) {
      if (constant.toString().equalsIgnoreCase(value)) {
        return constant;
      }
    }
    List<String> words =
        Arrays.stream(constants).map(c -> c.toString().toLowerCase(Locale.ROOT)).toList();
    throw new TypeConversionException(
        "`"
            + value
            + "` is none of "
            + String.join(", ", words)
            + Suggestions.nearest(value, words).map(n -> "; did you mean `" + n + "`?").orElse(""));
  }
}
