package org.alignlang.runtime.linear;

import java.util.Arrays;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.RowsOnDemand;
import org.alignlang.kernel.Workers;
import org.jspecify.annotations.Nullable;

/**
 * Logits of hidden states, made for some tokens at a time, while a kernel goes over them. The
 * gradient that the kernel writes for them becomes the gradient of the hidden states and of the
 * head at once. No array of all logits is ever there: besides the hidden states, the head and their
 * gradients, memory holds the logits of one chunk and their gradient.
 *
 * <p>Use it as the column of an actor's logits, evaluate, and call {@link #finish}; before another
 * evaluation, {@link #clear}. The bits do not depend on threads, and on the size of a chunk only
 * where several sequences share a head, whose gradient is then added up in another order. Needs
 * {@code jdk.incubator.vector}.
 */
public final class LinearLogits implements RowsOnDemand {
  /**
   * Entries of the vocabulary that are added up at a time, so that their weights stay in a cache.
   */
  private static final int BLOCK = 256;

  private static final int TILE = Tiles.TILE;
  private static final int WIDTH = Tiles.WIDTH;

  private final float[] hidden;
  private final Head head;
  private final int tokens;
  private final int width;
  private final int vocabulary;
  private final int chunk;
  private final Workers workers;
  private final float @Nullable [] hiddenGradient;

  /** The logits of the chunk, [chunk, vocabulary], and their gradient. */
  private final float[] values;

  private final float[] gradient;

  /** The hidden states of the chunk: for each {@link Tiles#WIDTH} tokens, [width, WIDTH]. */
  private final float[] panels;

  private int begin;
  private int end;

  /**
   * Logits of hidden states.
   *
   * @param hidden [tokens, head.width()], packed like the tokens of a batch
   * @param head what makes logits of them; several may share one
   * @param trained whether a gradient is wanted
   * @param chunk how many tokens are made at a time
   * @param workers who does the products
   * @throws IllegalArgumentException if the sizes do not fit
   */
  public LinearLogits(float[] hidden, Head head, boolean trained, int chunk, Workers workers) {
    width = head.width();
    vocabulary = head.vocabulary();
    if (hidden.length % width != 0) {
      throw new IllegalArgumentException(
          hidden.length + " numbers are no whole number of hidden states of " + width);
    }
    tokens = hidden.length / width;
    if ((long) tokens * vocabulary > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          tokens + " tokens with " + vocabulary + " logits each are more than one batch can have");
    }
    if (chunk < 1) {
      throw new IllegalArgumentException("a chunk has at least 1 token, not " + chunk);
    }
    this.hidden = hidden;
    this.head = head;
    this.chunk = Math.min(chunk, Math.max(1, tokens));
    this.workers = workers;
    hiddenGradient = trained ? new float[hidden.length] : null;
    values = new float[this.chunk * vocabulary];
    gradient = new float[trained ? values.length : 0];
    panels = new float[(this.chunk + WIDTH - 1) / WIDTH * WIDTH * width];
  }

  /** The column of a batch that stands for all logits. */
  public Column column() {
    return new Column.OnDemand(this);
  }

  /** The gradient of the hidden states, [tokens, width], complete after {@link #finish}. */
  public float @Nullable [] hiddenGradient() {
    return hiddenGradient;
  }

  /** Makes the gradient 0 and forgets the logits, for another evaluation. */
  public void clear() {
    begin = 0;
    end = 0;
    Arrays.fill(gradient, 0);
    if (hiddenGradient != null) {
      Arrays.fill(hiddenGradient, 0);
    }
  }

  @Override
  public int length() {
    return tokens * vocabulary;
  }

  @Override
  public float[] values() {
    return values;
  }

  @Override
  public float[] gradient() {
    return gradient;
  }

  @Override
  public int present(int index) {
    int token = index / vocabulary;
    if (token < begin || token >= end) {
      finish();
      begin = token / chunk * chunk;
      end = Math.min(begin + chunk, tokens);
      make();
    }
    return index - begin * vocabulary;
  }

  /** Hands on what was written for the last tokens; call it when the kernel is done. */
  public void finish() {
    if (hiddenGradient != null && isWritten()) {
      passToHidden(hiddenGradient);
      float[] weights = head.gradient();
      if (weights != null) {
        passToHead(weights);
      }
      Arrays.fill(gradient, 0, (end - begin) * vocabulary, 0);
    }
    begin = 0;
    end = 0;
  }

  /** Whether any number of the gradient is not 0: a kernel's first pass may write none. */
  private boolean isWritten() {
    for (int i = 0; i < (end - begin) * vocabulary; i++) {
      if (gradient[i] != 0) {
        return true;
      }
    }
    return false;
  }

  /** Logits of the chunk: tiles of 8 entries of the vocabulary and two vectors of tokens. */
  private void make() {
    int count = end - begin;
    int panelCount = (count + WIDTH - 1) / WIDTH;
    for (int t = 0; t < panelCount * WIDTH; t++) {
      int panel = t / WIDTH * WIDTH * width + t % WIDTH;
      for (int h = 0; h < width; h++) {
        panels[panel + h * WIDTH] = t < count ? hidden[(begin + t) * width + h] : 0;
      }
    }
    workers.run(
        (vocabulary + TILE - 1) / TILE,
        (from, to) -> {
          float[] tile = new float[TILE * WIDTH];
          for (int group = from; group < to; group++) {
            int v = group * TILE;
            int rows = Math.min(TILE, vocabulary - v);
            for (int panel = 0; panel < panelCount; panel++) {
              Arrays.fill(tile, 0);
              int first = panel * WIDTH * width;
              if (rows == TILE) {
                Tiles.along(
                    head.weights(), v * width, width, panels, first, WIDTH, tile, 0, WIDTH, width);
              } else {
                Tiles.edge(
                    head.weights(),
                    v * width,
                    width,
                    1,
                    panels,
                    first,
                    WIDTH,
                    tile,
                    0,
                    WIDTH,
                    width,
                    rows,
                    WIDTH);
              }
              int columns = Math.min(WIDTH, count - panel * WIDTH);
              for (int t = 0; t < columns; t++) {
                int at = (panel * WIDTH + t) * vocabulary + v;
                for (int j = 0; j < rows; j++) {
                  values[at + j] = tile[j * WIDTH + t];
                }
              }
            }
          }
        });
  }

  /**
   * {@code hiddenGradient[t, h] += sum over v of gradient[t, v] weights[v, h]}: a kernel may come
   * to a chunk again for tokens whose gradient had to wait.
   */
  private void passToHidden(float[] to) {
    int count = end - begin;
    for (int block = 0; block < vocabulary; block += BLOCK) {
      int first = block;
      int size = Math.min(BLOCK, vocabulary - block);
      workers.run(
          (count + TILE - 1) / TILE,
          (groupFrom, groupTo) -> {
            for (int group = groupFrom; group < groupTo; group++) {
              int t = group * TILE;
              int rows = Math.min(TILE, count - t);
              int whole = rows == TILE ? width / WIDTH * WIDTH : 0;
              int a = t * vocabulary + first;
              int b = first * width;
              int c = (begin + t) * width;
              for (int h = 0; h < whole; h += WIDTH) {
                Tiles.along(
                    gradient, a, vocabulary, head.weights(), b + h, width, to, c + h, width, size);
              }
              Tiles.edge(
                  gradient,
                  a,
                  vocabulary,
                  1,
                  head.weights(),
                  b + whole,
                  width,
                  to,
                  c + whole,
                  width,
                  size,
                  rows,
                  width - whole);
            }
          });
    }
  }

  /** {@code headGradient[v, h] += sum over t of gradient[t, v] hidden[t, h]}. */
  private void passToHead(float[] to) {
    int count = end - begin;
    workers.run(
        (vocabulary + TILE - 1) / TILE,
        (from, until) -> {
          float[] packed = new float[count * TILE];
          for (int group = from; group < until; group++) {
            int v = group * TILE;
            int rows = Math.min(TILE, vocabulary - v);
            for (int t = 0; t < count; t++) {
              System.arraycopy(gradient, t * vocabulary + v, packed, t * TILE, rows);
            }
            int whole = rows == TILE ? width / WIDTH * WIDTH : 0;
            int b = begin * width;
            int c = v * width;
            for (int h = 0; h < whole; h += WIDTH) {
              Tiles.across(packed, 0, hidden, b + h, width, to, c + h, width, count);
            }
            Tiles.edge(
                packed,
                0,
                1,
                TILE,
                hidden,
                b + whole,
                width,
                to,
                c + whole,
                width,
                count,
                rows,
                width - whole);
          }
        });
  }
}
