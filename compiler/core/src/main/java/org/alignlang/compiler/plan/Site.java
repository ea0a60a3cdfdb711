package org.alignlang.compiler.plan;

import java.util.Comparator;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.kernel.Level;

/**
 * A place in the loop nests where values are computed. The order of sites is the order in which
 * they are visited: the batch and group values of pass -1, then pass by pass the rows, and after
 * each pass over the rows the batch and group values that reduce them.
 *
 * @param scope what is iterated over
 * @param pass the pass over the rows; -1 is before the first
 * @param rowStep within a row: values of step {@code q} are followed by the token loops of step
 *     {@code q}, whose sums belong to step {@code q + 1}; for groups, the steps between batch and
 *     group values
 * @param owner the sequence whose tokens are looped over; empty elsewhere
 * @param tokenStep within a token: values of step {@code u} are followed by the vocabulary loop of
 *     step {@code u}, whose sums belong to step {@code u + 1}
 */
public record Site(Scope scope, int pass, int rowStep, String owner, int tokenStep)
    implements Comparable<Site> {

  private static final Comparator<Site> ORDER =
      Comparator.comparingInt(Site::pass)
          .thenComparing(s -> s.scope.ordinal() <= Scope.GROUP.ordinal())
          .thenComparingInt(Site::rowStep)
          .thenComparing(s -> s.scope.ordinal() <= Scope.ROW.ordinal() ? s.scope.ordinal() : 9)
          .thenComparing(Site::owner)
          .thenComparingInt(Site::tokenStep)
          .thenComparing(Site::scope);

  /** What a site iterates over. */
  public enum Scope {
    BATCH,
    GROUP,
    ROW,
    TOKEN,
    VOCAB;

    /** The scope of values at a level. */
    public static Scope of(Level level) {
      return switch (level) {
        case BATCH -> BATCH;
        case GROUP -> GROUP;
        case PAIR, SEQUENCE -> ROW;
        case TOKEN -> TOKEN;
        case VOCAB -> VOCAB;
      };
    }

    static Scope of(Domain domain) {
      return of(domain.level());
    }
  }

  /** Whether both are inside one loop over the tokens of a row. */
  public boolean sameTokenLoop(Site other) {
    return pass == other.pass && rowStep == other.rowStep && owner.equals(other.owner);
  }

  @Override
  public int compareTo(Site other) {
    return ORDER.compare(this, other);
  }
}
