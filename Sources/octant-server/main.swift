#if Server
OctantCommand.main()
#else
print("This build has no server: the package was built without its trait `Server`.")
#endif
