package org.alignlang.tornado;

/** A kernel did not run, and TornadoVM did not say so. */
final class NotRunException extends DeviceException {
  private static final long serialVersionUID = 1L;

  NotRunException(String message) {
    super(message);
  }
}
