/**
 * Align in a Maven build. The goals hold their parameters, decide whether anything has changed, and
 * run the compiler in a process of its own on a JDK 25; what it does is in {@code align-cli}.
 */
@NullMarked
package org.alignlang.maven;

import org.jspecify.annotations.NullMarked;
