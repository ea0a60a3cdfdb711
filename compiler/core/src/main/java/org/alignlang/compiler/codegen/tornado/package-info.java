/**
 * The back end for GPUs and other devices: kernels for TornadoVM, written by JavaPoet in the subset
 * of Java that it compiles right.
 */
@NullMarked
package org.alignlang.compiler.codegen.tornado;

import org.jspecify.annotations.NullMarked;
