package org.alignlang.runtime.run;

import java.text.Normalizer;

/** Names of files in the run store: whatever they are made from, they stay in their folder. */
final class RunNames {
  private static final int LONGEST = 60;

  private RunNames() {}

  /**
   * A text as part of a file name: letters, digits, {@code _}, {@code -} and inner dots stay, all
   * else becomes {@code -}.
   *
   * @param otherwise what it is if nothing is left
   */
  static String plain(String text, String otherwise) {
    StringBuilder name = new StringBuilder();
    Normalizer.normalize(text, Normalizer.Form.NFC)
        .codePoints()
        .limit(LONGEST)
        .forEach(c -> {
          boolean stays = Character.isLetterOrDigit(c) || c == '_' || c == '-' || c == '.';
          name.appendCodePoint(stays ? c : '-');
        });
    String plain = name.toString().replaceAll("-{2,}", "-").replaceAll("^[-.]+|[-.]+$", "");
    return plain.isEmpty() ? otherwise : plain;
  }
}
