package org.alignlang.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The result of one kernel call; allocate once for a batch shape and reuse. */
public final class Evaluation {
  private double loss;
  private final double[] metrics;
  private final double[] violations;
  private final Map<String, Gradient> gradients = new LinkedHashMap<>();
  private @Nullable Object workspace;

  /** Room for the results of a signature on a batch. */
  public Evaluation(Signature signature, Batch batch) {
    metrics = new double[signature.metrics().size()];
    violations = new double[signature.constraints().size()];
    for (Signature.Input input : signature.inputs()) {
      if (input.trained()) {
        Column column = batch.data(input.name());
        gradients.put(
            input.name(),
            column instanceof Column.OnDemand made
                ? new Gradient(input.name(), made.rows())
                : new Gradient(column.length(), column.type() != Column.Type.F64));
      }
    }
  }

  /** Whether this room has the shape and the precision of a batch. */
  public boolean fits(Batch batch) {
    for (Map.Entry<String, Gradient> gradient : gradients.entrySet()) {
      Column column = batch.data(gradient.getKey());
      if (gradient.getValue().length != column.length()
          || gradient.getValue().single != (column.type() != Column.Type.F64)) {
        return false;
      }
    }
    return true;
  }

  /** The minimised scalar. */
  public double loss() {
    return loss;
  }

  public void setLoss(double value) {
    loss = value;
  }

  /** One value per {@link Signature#metrics()}. */
  public double[] metrics() {
    return metrics;
  }

  /** One violation per {@link Signature#constraints()}; positive where the constraint is broken. */
  public double[] violations() {
    return violations;
  }

  /**
   * Room that a kernel keeps from one call to the next, so that a call on a batch of the same shape
   * allocates nothing.
   *
   * @param type the kernel's own class for it
   * @param batch the data of this call
   * @param fits whether the room that is there has the right size
   * @param make makes room for a batch
   */
  public <T> T workspace(
      Class<T> type, Batch batch, BiPredicate<T, Batch> fits, Function<Batch, T> make) {
    if (type.isInstance(workspace)) {
      T room = type.cast(workspace);
      if (fits.test(room, batch)) {
        return room;
      }
    }
    T room = make.apply(batch);
    workspace = room;
    return room;
  }

  /**
   * The gradient of the loss for a trained input, packed like the input's column, in double
   * precision. What is written to it is the gradient from then on. Where the input has single
   * precision or less, this is a copy; see {@link #gradientColumn}.
   */
  public double[] gradient(String input) {
    return require(input).doubles();
  }

  /**
   * The gradient of the loss for a trained input of single precision or less, for a kernel to write
   * all of it in single precision.
   *
   * @throws IllegalArgumentException if the input has double precision
   */
  public float[] floatGradient(String input) {
    return require(input).floats();
  }

  /**
   * The same for logits, row by row: all of them in one array, or handed on where they are made on
   * demand.
   */
  public GradientRows gradientRows(String input) {
    return require(input).rows();
  }

  /** The gradient as the kernel wrote it: in single or double precision. */
  public Column gradientColumn(String input) {
    return require(input).column();
  }

  private Gradient require(String input) {
    Gradient gradient = gradients.get(input);
    if (gradient == null) {
      throw new IllegalArgumentException("no gradient for input `" + input + "`");
    }
    return gradient;
  }

  /** Room for a gradient in the precision of its input, and in double for kernels that want it. */
  private static final class Gradient {
    private final int length;
    private final boolean single;
    private double @Nullable [] doubles;
    private float @Nullable [] floats;
    private @Nullable GradientRows rows;
    private boolean inFloats;

    /** What is handed on row by row and never there as a whole. */
    private final String onDemand;

    Gradient(String input, RowsOnDemand made) {
      length = 0;
      single = true;
      onDemand = input;
      rows = GradientRows.of(made);
    }

    Gradient(int length, boolean single) {
      onDemand = "";
      this.length = length;
      this.single = single;
    }

    GradientRows rows() {
      GradientRows known = rows;
      if (known == null) {
        known = GradientRows.of(floats());
        rows = known;
      } else if (onDemand.isEmpty()) {
        floats();
      }
      inFloats = true;
      return known;
    }

    private void requireWhole() {
      if (!onDemand.isEmpty()) {
        throw new EvaluationException(
            "the gradient for `"
                + onDemand
                + "` is handed on row by row, which only kernels of the back ends `vector` and"
                + " `jvm` can do");
      }
    }

    double[] doubles() {
      requireWhole();
      double[] room = doubles;
      if (room == null) {
        room = new double[length];
        doubles = room;
      }
      if (inFloats && floats != null) {
        for (int i = 0; i < length; i++) {
          room[i] = floats[i];
        }
      }
      inFloats = false;
      return room;
    }

    float[] floats() {
      requireWhole();
      if (!single) {
        throw new IllegalArgumentException("the gradient is in double precision");
      }
      float[] room = floats;
      if (room == null) {
        room = new float[length];
        floats = room;
      }
      double[] written = doubles;
      if (!inFloats && written != null) {
        // What a kernel wrote in double precision.
        for (int i = 0; i < length; i++) {
          room[i] = (float) written[i];
        }
      }
      inFloats = true;
      return room;
    }

    Column column() {
      return inFloats ? new Column.Floats(floats()) : new Column.Doubles(doubles());
    }
  }
}
