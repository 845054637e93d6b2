#pragma once
// A header of the project's own, which has the name of one of xgrad's.
#define OUTSIDE_SHAPE
