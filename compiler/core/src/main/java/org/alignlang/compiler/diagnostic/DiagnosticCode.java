package org.alignlang.compiler.diagnostic;

import static org.alignlang.compiler.diagnostic.Severity.ERROR;
import static org.alignlang.compiler.diagnostic.Severity.NOTE;
import static org.alignlang.compiler.diagnostic.Severity.WARNING;

import java.util.Arrays;
import java.util.Optional;

/**
 * Every kind of finding. Codes and slugs never change meaning once released; {@code align explain
 * CODE} shows the page of the same name under {@code pages/}.
 */
public enum DiagnosticCode {
  SYNTAX("ALN1001", "syntax", ERROR, "the text is not Align"),
  UNKNOWN_CHARACTER("ALN1002", "unknown-character", ERROR, "a character has no meaning here"),
  UNTERMINATED_TEXT("ALN1003", "unterminated-text", ERROR, "a text lacks its closing quote"),
  TOO_DEEP("ALN1004", "too-deep", ERROR, "an expression is nested too deeply"),
  UNREADABLE("ALN1005", "unreadable", ERROR, "a source file cannot be read"),

  UNKNOWN_NAME("ALN2001", "unknown-name", ERROR, "a name means nothing here"),
  DUPLICATE_NAME("ALN2002", "duplicate-name", ERROR, "a name is declared twice"),
  UNKNOWN_IMPORT("ALN2003", "unknown-import", ERROR, "an import is not found"),
  IMPORT_CYCLE("ALN2004", "import-cycle", ERROR, "files import each other"),
  RECURSION("ALN2005", "recursion", ERROR, "a definition uses itself"),
  WRONG_ARGUMENTS("ALN2006", "wrong-arguments", ERROR, "a call does not fit what it calls"),
  WRONG_THING("ALN2007", "wrong-thing", ERROR, "a name stands for another kind of thing"),
  UNUSED_LET("ALN2008", "unused-let", WARNING, "a value is computed and not used"),

  OWNERS_MEET("ALN3001", "owners-meet", ERROR, "tokens of different sequences meet"),
  WRONG_REDUCTION(
      "ALN3002", "wrong-reduction", ERROR, "a reduction does not fit its value's level"),
  UNREDUCED("ALN3003", "unreduced", ERROR, "a value is finer than what is asked for"),
  WRONG_KIND("ALN3004", "wrong-kind", ERROR, "an operation does not exist for these kinds"),
  MISSING_DDOF("ALN3005", "missing-ddof", ERROR, "a standard deviation needs its definition"),
  MIXED_LENGTHS("ALN3006", "mixed-lengths", WARNING, "a sum over tokens meets a mean over tokens"),
  LENGTH_BIAS("ALN3007", "length-bias", WARNING, "long sequences weigh less per token", true),

  NO_PATH("ALN4001", "no-path", ERROR, "nothing of the objective depends on the policy"),
  UNUSED_PARAMETER("ALN4002", "unused-parameter", ERROR, "a parameter does not reach the loss"),
  UNUSED_DATA("ALN4003", "unused-data", ERROR, "declared data does not reach the loss"),
  BIASED_DIVERGENCE("ALN4004", "biased", ERROR, "a divergence term descends something else"),
  MISSING_ESTIMATE("ALN4005", "missing-estimate", ERROR, "an expectation needs an estimator"),
  MISSING_OBJECTIVE("ALN4006", "missing-objective", ERROR, "an objective says nothing to optimise"),
  BAD_CONSTRAINT("ALN4007", "bad-constraint", ERROR, "a constraint is not one"),
  UNGUARDED_DIVISION("ALN4008", "unguarded-division", ERROR, "a division can be by zero"),
  NORMALIZER_STAYS("ALN4009", "normalizer-stays", ERROR, "log Z does not cancel in this loss"),
  BAD_ESTIMATOR("ALN4010", "bad-estimator", ERROR, "an estimator is incomplete"),
  MISSING_ACTOR("ALN4011", "missing-actor", ERROR, "an actor is needed and not declared"),
  REWARD_GRADIENT("ALN4012", "reward-gradient", WARNING, "a gradient is cut inside an expectation"),
  ACCEPTED_BIAS("ALN4013", "accepted-bias", NOTE, "a biased term was accepted"),
  UNUSED_ACCEPT("ALN4014", "unused-accept", WARNING, "an accept accepts nothing"),
  FIXED_PARAMETER("ALN4015", "fixed-parameter", ERROR, "a value must be known when compiling"),
  INERT_RATIO("ALN4016", "inert-ratio", WARNING, "an importance ratio is always 1"),
  CLIP_BELOW_ONE("ALN4017", "clip-below-one", WARNING, "a bound on a ratio leaves 1 outside"),
  REPEATED_RATIO("ALN4018", "repeated-ratio", WARNING, "an importance ratio enters twice"),
  ACTIVE_WEIGHT("ALN4019", "active-weight", WARNING, "a gradient flows through a weight"),
  LONG_RATIO(
      "ALN4020", "long-ratio", WARNING, "a constant bounds a ratio that grows with length", true),
  WRITTEN_DIVERGENCE(
      "ALN4021", "written-divergence", WARNING, "a written-out penalty descends something else"),
  CLAMPED_PENALTY("ALN4022", "clamped-penalty", WARNING, "a bound takes a penalty away"),
  INERT_TERM("ALN4023", "inert-term", WARNING, "a term of the objective teaches nothing"),
  UNBOUNDED_BELOW("ALN4024", "unbounded-below", WARNING, "a loss can fall for ever"),
  UNBOUNDED_EXP("ALN4025", "unbounded-exp", WARNING, "an exponential grows with the length", true),
  LOG_OF_ZERO("ALN4026", "log-of-zero", WARNING, "a logarithm can be of zero or less"),
  MASKED_PRODUCT("ALN4027", "masked-product", WARNING, "a mask is multiplied with infinity"),
  ONE_SIDED_TIE("ALN4028", "one-sided-tie", WARNING, "a tie counts as a preference", true),
  UNEVEN_RATIO("ALN4029", "uneven-ratio", WARNING, "the sides of a ratio have different powers"),
  ABSOLUTE_TARGET(
      "ALN4030", "absolute-target", WARNING, "a constant target meets a mean over tokens", true),

  NOT_CONVEX("ALN5001", "not-convex", ERROR, "a divergence is not convex"),
  NOT_ZERO_AT_ONE("ALN5002", "not-zero-at-one", ERROR, "a divergence is not zero at equality"),
  BAD_DIVERGENCE("ALN5003", "bad-divergence", ERROR, "a divergence cannot be derived"),

  UNKNOWN_SETTING("ALN6001", "unknown-setting", ERROR, "an experiment has no such setting"),
  MISSING_SETTING("ALN6002", "missing-setting", ERROR, "an experiment lacks a setting"),
  BAD_SETTING("ALN6003", "bad-setting", ERROR, "a setting has an impossible value"),
  BAD_QUANTITY("ALN6004", "bad-quantity", ERROR, "this cannot be measured in an experiment"),

  INTERNAL("ALN9001", "internal", ERROR, "the compiler failed");

  private final String code;
  private final String slug;
  private final Severity severity;
  private final String title;
  private final boolean pedantic;

  DiagnosticCode(String code, String slug, Severity severity, String title) {
    this(code, slug, severity, title, false);
  }

  DiagnosticCode(String code, String slug, Severity severity, String title, boolean pedantic) {
    this.code = code;
    this.slug = slug;
    this.severity = severity;
    this.title = title;
    this.pedantic = pedantic;
  }

  /** The stable code, such as {@code ALN3001}. */
  public String code() {
    return code;
  }

  /** The stable name, such as {@code owners-meet}; {@code accept} takes it with underscores too. */
  public String slug() {
    return slug;
  }

  public Severity severity() {
    return severity;
  }

  /** Whether it is reported only where pedantic findings are asked for: it is often no mistake. */
  public boolean isPedantic() {
    return pedantic;
  }

  /** The finding in general, in a few words. */
  public String title() {
    return title;
  }

  /** The code with this code or slug. */
  public static Optional<DiagnosticCode> find(String text) {
    String wanted = text.trim().replace('_', '-');
    return Arrays.stream(values())
        .filter(c -> c.code.equalsIgnoreCase(wanted) || c.slug.equalsIgnoreCase(wanted))
        .findFirst();
  }
}
