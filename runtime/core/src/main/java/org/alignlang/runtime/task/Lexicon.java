package org.alignlang.runtime.task;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/**
 * English words with a valence from -5 (very negative) to 5 (very positive): a selection of
 * AFINN-165, whose source and licence stand in the file {@code NOTICE} beside the data.
 */
final class Lexicon {
  private static final String RESOURCE = "lexicon.tsv";

  private Lexicon() {}

  /**
   * A rated word.
   *
   * @param word the word
   * @param valence from -5 to 5, never 0
   * @param adjective whether it is used as an adjective; otherwise it is a verb
   */
  record Entry(String word, int valence, boolean adjective) {}

  /** All words: adjectives by alphabet, then verbs by alphabet. */
  static List<Entry> read() {
    try (InputStream stream =
            Objects.requireNonNull(Lexicon.class.getResourceAsStream(RESOURCE), RESOURCE);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader
          .lines()
          .map(line -> line.split("\t", -1))
          .map(part -> new Entry(part[0], Integer.parseInt(part[1]), part[2].equals("adjective")))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
