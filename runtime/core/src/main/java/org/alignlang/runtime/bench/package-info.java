/** How fast kernels are: data of any size, and calls that are timed side by side. */
@org.jspecify.annotations.NullMarked
package org.alignlang.runtime.bench;
