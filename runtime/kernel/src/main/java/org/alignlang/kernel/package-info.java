/** The interfaces and data that generated kernels use; no dependencies. */
@NullMarked
package org.alignlang.kernel;

import org.jspecify.annotations.NullMarked;
