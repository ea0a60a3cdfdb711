/**
 * Kernels on devices through TornadoVM: what generated code calls there, and the host's side with
 * buffers, launches and checks.
 */
@NullMarked
package org.alignlang.tornado;

import org.jspecify.annotations.NullMarked;
