package org.alignlang.runtime.experiment;

import org.jspecify.annotations.Nullable;

/**
 * An experiment cannot be run, or not to its end, for a reason that lies in the spec, the data or
 * the chosen numbers. The message is for the spec's author: it names the place, the facts and what
 * to look at.
 */
public class ExperimentException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ExperimentException(@Nullable String message) {
    super(message);
  }

  public ExperimentException(@Nullable String message, Throwable cause) {
    super(message, cause);
  }
}
