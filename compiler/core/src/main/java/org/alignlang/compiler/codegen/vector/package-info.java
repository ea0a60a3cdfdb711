/**
 * The back end {@code vector}: the same plan and the same outer loops as {@code jvm}, with inner
 * loops over tokens and vocabulary in single precision through {@code jdk.incubator.vector}.
 */
@NullMarked
package org.alignlang.compiler.codegen.vector;

import org.jspecify.annotations.NullMarked;
