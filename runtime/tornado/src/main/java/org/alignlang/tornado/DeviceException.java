package org.alignlang.tornado;

/**
 * A device that is not there, is too small, or did not do what it was told; the message says it.
 */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
